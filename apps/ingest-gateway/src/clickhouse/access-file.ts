import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makePrivateDirectory, writePrivateFile } from '../private-files.js';
import type { EmbeddedServer } from './embedded-server.js';
import type { Credentials } from './embedded-users.js';

/** Where the embedded server of a running gateway answers, and to whom. */
export interface ClickHouseAccess extends Credentials {
  readonly url: string;
}

/** The file that names the embedded server's address and the gateway's password, for `curl --config`. */
export function accessFile(dataDir: string): string {
  return join(dataDir, 'run', 'clickhouse.curl');
}

/**
 * Writes the file, readable for the gateway's own user only. It is valid until the server is started again.
 * @throws Error of the file system
 */
export async function writeAccessFile(dataDir: string, { url, user }: EmbeddedServer): Promise<void> {
  const path = accessFile(dataDir);
  await makePrivateDirectory(dirname(path));
  await writePrivateFile(path, `url = "${url}/"\nuser = "${user.username}:${user.password}"\n`);
}

/** Removes the file, if it is there. */
export async function removeAccessFile(dataDir: string): Promise<void> {
  await rm(accessFile(dataDir), { force: true });
}

/** Reads the file; `undefined` when there is none, which is when no embedded server runs. */
export async function readAccessFile(dataDir: string): Promise<ClickHouseAccess | undefined> {
  const text = await readFile(accessFile(dataDir), 'utf8').catch(() => '');
  const [, url, username, password] = /^url = "(.*)\/"\nuser = "(.*?):(.*)"\n$/.exec(text) ?? [];
  if (url === undefined || username === undefined || password === undefined) return undefined;
  return { url, username, password };
}
