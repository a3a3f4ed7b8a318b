import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createPluginRegistry } from '../../../apps/ingest-gateway/src/plugins.js';

const LF = 10;

/** Events in the tables of all types together. */
export async function countTables(
  sql: (query: string) => Promise<Record<string, unknown>[]>,
): Promise<number> {
  const types = createPluginRegistry().eventTypes();
  const each = types.map(({ name }) => `(SELECT count() FROM activity.${name})`).join(' + ');
  const [row] = await sql(`SELECT toString(${each}) AS events`);
  return Number(row?.['events']);
}

/** Lines in the files of all types together. */
export async function countFiles(folder: string): Promise<number> {
  let lines = 0;
  for (const file of await readdir(folder)) {
    if (file.endsWith('.ndjson') && file !== 'dead_letters.ndjson')
      lines += await countLines(join(folder, file));
  }
  return lines;
}

/** Line ends in a file. */
export async function countLines(path: string): Promise<number> {
  let lines = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, at + 1)) lines += 1;
  }
  return lines;
}
