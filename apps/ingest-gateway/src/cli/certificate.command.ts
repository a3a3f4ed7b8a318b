import { GatewayError } from '@app/pipeline/api';
import type { ConfirmedKeyView } from '../admin/certificate-admin.service.js';
import { parseOptions } from './agent/parse-options.js';
import { printError } from './agent/print-error.js';
import { RestClient } from './rest/rest-client.js';
import { REST_OPTIONS, REST_USAGE, restOptionsOf } from './rest/rest-options.js';

const USAGE = `Usage: gateway certificate confirm [options]

Accepts the changed key of the server's certificate. Agents pin that key, so a gateway whose certificate files hold another
one is degraded until somebody confirms it. Afterwards new connections get the new certificate, enrollment tokens that name
the old key are revoked, and agents that pinned the old key have to enroll again.

${REST_USAGE}
Exit code: 0 = confirmed, 1 = failed, or nothing to confirm, 2 = wrong usage.
`;

/**
 * `certificate confirm`: accepts another key of the server, over the REST API.
 * @returns exit code: 0 confirmed, 1 failed or nothing to confirm, 2 the command line is wrong
 */
export async function certificateCommand(argv: string[]): Promise<number> {
  try {
    const named = argv[0] !== undefined && !argv[0].startsWith('-');
    const texts = parseOptions(named ? argv.slice(1) : argv, { help: { type: 'boolean' }, ...REST_OPTIONS });
    if (texts.help === true) return print(USAGE);
    if (argv[0] !== 'confirm') {
      throw new GatewayError('CLI_USAGE', 'The only action of certificate is confirm.', 'See --help.');
    }
    const api = new RestClient(restOptionsOf(texts, process.env));
    return print(format(await api.post<ConfirmedKeyView>('/api/v1/nam-listener/certificate/confirm')));
  } catch (error) {
    printError(error);
    return error instanceof GatewayError && error.code === 'CLI_USAGE' ? 2 : 1;
  }
}

function format({ spkiHash, previousSpkiHash, revokedTokens }: ConfirmedKeyView): string {
  const tokens = revokedTokens.length === 0 ? 'none' : revokedTokens.join(', ');
  return `Confirmed.\n  key in use      ${spkiHash}\n  previous key    ${previousSpkiHash}\n  revoked tokens  ${tokens}\n`;
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}
