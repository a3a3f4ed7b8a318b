import { randomUUID } from 'node:crypto';
import { existsSync, linkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOCK_FILE } from './database.js';

/** More than lmdb needs for its default number of readers. */
const LOCK_BYTES = 16 * 1024;

/**
 * Makes lmdb's lock file, zeros all through, where there is none. lmdb would make it as a hole and fill it through memory,
 * and where the disk is full that ends the process; this fails instead.
 */
export function makeLockFile(directory: string): void {
  const path = join(directory, LOCK_FILE);
  if (existsSync(path)) return;
  const draft = `${path}.${randomUUID()}`;
  try {
    writeFileSync(draft, Buffer.alloc(LOCK_BYTES), { flush: true, mode: 0o600 });
    linkSync(draft, path);
  } catch (error) {
    // Another process may have made it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}
