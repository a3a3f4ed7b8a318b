import type { ConfirmedKeyView } from '../admin/certificate-admin.service.js';
import { CliCommand } from './cli-command.js';
import { RestClient } from './rest/rest-client.js';
import { addRestOptions, restOptionsOf, type GivenRestOptions } from './rest/rest-options.js';

/** `certificate confirm`: accepts a changed server key, over the REST API. Exit code 1 when there is nothing to confirm. */
export function certificateCommand(): CliCommand {
  const certificate = new CliCommand('gateway certificate').description('Confirms a changed server key.');
  const confirm = new CliCommand('confirm').description(
    `Accepts the changed key of the server's certificate. Agents pin that key, so a gateway whose certificate files hold \
another key is degraded until somebody confirms it. Afterwards new connections get the new certificate, enrollment tokens \
that name the old key are revoked, and agents that pinned the old key have to enroll again.`,
  );
  confirm.exits('0 = confirmed, 1 = failed, or nothing to confirm');
  addRestOptions(confirm).runs<GivenRestOptions>(async (options) => {
    const api = new RestClient(restOptionsOf(options, process.env));
    process.stdout.write(format(await api.post('/api/v1/nam-listener/certificate/confirm')));
    return 0;
  });
  certificate.addCommand(confirm);
  return certificate;
}

function format({ spkiHash, previousSpkiHash, revokedTokens }: ConfirmedKeyView): string {
  const tokens = revokedTokens.length === 0 ? 'none' : revokedTokens.join(', ');
  return `Confirmed.\n  key in use      ${spkiHash}\n  previous key    ${previousSpkiHash}\n  revoked tokens  ${tokens}\n`;
}
