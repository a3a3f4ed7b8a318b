import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError } from '@activity-gateway/pipeline/api';
import { writePrivateFile } from '../private-files.js';
import { createSecret } from '../secrets.js';
import type { Credentials } from './embedded-users.js';
import type { ClickHouseOptions } from './types.js';

const FILE = 'clickhouse-reader.password';
/** What is a header's value and an element of XML as it stands; `regex:` would make a pattern of it. */
const PASSWORD = /^(?!regex:)[\x21-\x7e]{12,200}$/;

/**
 * The reader of the embedded server, or `undefined` when none is configured. Without a `password_file` its password is
 * made once and written to the data directory.
 * @throws GatewayError `CLICKHOUSE_READER_PASSWORD` when the file cannot be read, or holds no usable password
 */
export async function readerOf(
  { reader }: ClickHouseOptions['config'],
  dataDir: string,
): Promise<Credentials | undefined> {
  if (reader === undefined) return undefined;
  const own = join(dataDir, FILE);
  const path = reader.passwordFile ?? own;
  try {
    return { username: reader.username, password: check(await readFile(path, 'utf8'), path) };
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (!missing || path !== own) throw unusable(path, (error as Error).message);
    const password = createSecret();
    await writePrivateFile(own, `${password}\n`);
    return { username: reader.username, password };
  }
}

function check(text: string, path: string): string {
  const password = text.replace(/\r?\n$/, '');
  if (PASSWORD.test(password)) return password;
  throw unusable(
    path,
    'it has to be one word of 12 to 200 ASCII characters, and must not start with "regex:"',
  );
}

function unusable(path: string, reason: string): GatewayError {
  return new GatewayError(
    'CLICKHOUSE_READER_PASSWORD',
    `The password of the ClickHouse reader in ${path} cannot be used: ${reason}.`,
    'Correct the file, or remove clickhouse.reader.password_file: the gateway then creates a password.',
  );
}
