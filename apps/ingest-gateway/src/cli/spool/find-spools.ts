import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A spool on disk. */
export interface FoundSpool {
  /** `<pipeline>/<slot>`. */
  readonly name: string;
  readonly directory: string;
}

/** The spools in a data directory, sorted; of one pipeline where one is named. */
export function findSpools(dataDir: string, pipeline?: string): FoundSpool[] {
  const root = join(dataDir, 'spool');
  return list(root)
    .filter((name) => pipeline === undefined || name === pipeline)
    .flatMap((name) => list(join(root, name)).map((slot) => `${name}/${slot}`))
    .map((name) => ({ name, directory: join(root, name) }))
    .filter(({ directory }) => existsSync(join(directory, 'data.mdb')));
}

function list(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory).sort();
}
