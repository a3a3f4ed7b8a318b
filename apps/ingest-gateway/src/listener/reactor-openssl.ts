import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * TLS 1.3 servers send session tickets after the handshake, and Node has no option against it (SSL_OP_NO_TICKET only
 * makes them useless). An agent that never reads closes with them unread, and its kernel then answers with a reset that
 * throws away what the agent had still to send. OpenSSL itself takes the number of tickets from its configuration.
 */
const CONFIGURATION = `nodejs_conf = nodejs
[nodejs]
ssl_conf = ssl
[ssl]
system_default = server
[server]
NumTickets = 0
`;

/**
 * Writes the OpenSSL configuration of reactors to `<dataDir>/tls`, and gives the options of Node that make a process use
 * it. None where the user has an OpenSSL configuration of their own, which may say more than this one.
 * @param given options and variables of this process, which child processes inherit
 * @throws Error when the directory cannot be written
 */
export async function reactorOpensslOptions(
  dataDir: string,
  given: { readonly execArgv: readonly string[]; readonly env: NodeJS.ProcessEnv } = process,
): Promise<string[]> {
  const own = [...given.execArgv, given.env['NODE_OPTIONS'] ?? ''].some((option) =>
    option.includes('--openssl-'),
  );
  if (own || given.env['OPENSSL_CONF'] !== undefined) return [];
  const path = join(dataDir, 'tls', 'openssl.cnf');
  await mkdir(join(dataDir, 'tls'), { recursive: true, mode: 0o700 });
  await writeFile(path, CONFIGURATION, { mode: 0o600 });
  return [`--openssl-config=${path}`];
}
