import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Logger } from '@activity-gateway/pipeline/api';

/**
 * Writes the id of this process to `run/gateway.pid` in the data directory, for scripts that send it signals. To be
 * called by the holder of the directory's lock. A failure is logged: the gateway works without the file.
 * @returns what removes the file
 */
export async function writePidFile(dataDir: string, logger: Logger): Promise<() => Promise<void>> {
  const path = join(dataDir, 'run', 'gateway.pid');
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // Renamed, so that nobody reads half of it, and what a killed gateway has left keeps neither text nor mode.
    await writeFile(`${path}.new`, `${process.pid}\n`, { mode: 0o600 });
    await rename(`${path}.new`, path);
  } catch (error) {
    logger.warn({ err: error, file: path }, 'Failed to write the pid file; continuing without it');
  }
  return () => rm(path, { force: true });
}
