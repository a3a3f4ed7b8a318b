import { Ajv, type ValidateFunction } from 'ajv';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { copilotParser } from '../../../plugins/parsers/copilot/index.js';
import { leefParser } from '../../../plugins/parsers/leef/index.js';
import { sharepointParser } from '../../../plugins/parsers/sharepoint/index.js';
import { smbParser } from '../../../plugins/parsers/smb/index.js';
import type { AgentCredentials } from '../../support/raw-agent.js';
import { serve } from './child.js';

/**
 * The yardstick: what any Node program spends that takes these events: TLS 1.3 with client certificates, line split,
 * `JSON.parse`, the parsers' own schemas compiled by Ajv, and counting. It keeps nothing and answers nothing.
 */
export type BareQuestion =
  { readonly do: 'listen'; readonly server: AgentCredentials } | { readonly do: 'count' };

/** Port of the loop, and its counts since its start. */
export interface BareAnswer {
  readonly port: number;
  readonly valid: number;
  readonly invalid: number;
}

const LF = 10;
const ajv = new Ajv({ strict: true, allowUnionTypes: true });
const validators: Readonly<Record<string, ValidateFunction>> = {
  FileSystem: ajv.compile(smbParser.messageSchema),
  SharePointOnline: ajv.compile(sharepointParser.messageSchema),
  Leef: ajv.compile(leefParser.messageSchema),
  Copilot: ajv.compile(copilotParser.messageSchema),
};
let port = 0;
let valid = 0;
let invalid = 0;

serve<BareQuestion, BareAnswer>(async (question) => {
  if (question.do === 'listen') port = await listen(question.server);
  return { port, valid, invalid };
});

async function listen({ certPem, keyPem }: AgentCredentials): Promise<number> {
  const server = createServer(
    { cert: certPem, key: keyPem, minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: false },
    serveConnection,
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function serveConnection(socket: TLSSocket): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, start)) {
      count(bytes.toString('utf8', start, end));
      start = end + 1;
    }
    rest = bytes.subarray(start);
  });
  socket.on('error', () => socket.destroy());
}

/** Lines of LEEF are counted and not read: there is no parser for them that stands for any program's. */
function count(line: string): void {
  if (!line.startsWith('{')) {
    valid += 1;
    return;
  }
  const event = JSON.parse(line) as { ActivityType: string };
  if (validators[event.ActivityType]?.(event)) valid += 1;
  else invalid += 1;
}
