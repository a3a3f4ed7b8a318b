import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Size of all spool files of a gateway, bytes. */
export function spoolFileBytes(dataDir: string): number {
  const directory = join(dataDir, 'spool');
  const names = readdirSync(directory, { recursive: true }) as string[];
  return names
    .filter((name) => name.endsWith('data.mdb'))
    .reduce((sum, name) => sum + (statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0), 0);
}
