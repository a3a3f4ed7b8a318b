import { readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../api/index.js';
import { DATA_FILE, LOCK_FILE } from './database.js';

const ASIDE = `${DATA_FILE}.damaged-`;
/** What lmdb says of a file that is damaged: MDB_PAGE_NOTFOUND, MDB_CORRUPTED. */
const DAMAGE = new Set([-30797, -30796]);

/** Whether reading failed because the file is damaged. */
export function isDamage(error: unknown): boolean {
  return DAMAGE.has((error as { code?: number }).code ?? 0);
}

/** Names of the files in a spool's directory that were set aside. */
export function filesSetAside(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.startsWith(ASIDE));
}

/** Moves a damaged file out of the way: nothing of it is deleted. */
export function setAside(directory: string, logger: Logger, reason: string): void {
  const to = `${ASIDE}${Date.now()}`;
  logger.error({ directory, file: to, reason }, 'Spool damaged; file quarantined, new spool created');
  try {
    renameSync(join(directory, DATA_FILE), join(directory, to));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  rmSync(join(directory, LOCK_FILE), { force: true });
}

/** Removes an empty spool with its directory; what else lies in the directory stays, and so does the directory then. */
export function removeSpool(directory: string): void {
  for (const file of [DATA_FILE, LOCK_FILE]) rmSync(join(directory, file), { force: true });
  try {
    rmdirSync(directory);
  } catch {
    // Something else is in it: a file that was set aside.
  }
}
