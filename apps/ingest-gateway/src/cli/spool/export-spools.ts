import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from '@activity-gateway/pipeline/api';
import { openSpoolReader } from '@activity-gateway/pipeline/host';
import { formatCount } from '../agent/table.js';
import type { Write } from '../print-problems.js';
import type { FoundSpool } from './find-spools.js';
import { tellUnreadable } from './tell-unreadable.js';

/** What is exported, and where to. */
export interface ExportOptions {
  /** Absolute path; made if need be. */
  readonly out: string;
  readonly sink: string | undefined;
  readonly destination: string | undefined;
}

interface OutFile {
  readonly path: string;
  readonly handle: number;
  entries: number;
  rows: number;
}

/** Writes what waits in the spools to files. Returns the exit code: 1 when something could not be exported. */
export async function exportSpools(
  spools: readonly FoundSpool[],
  options: ExportOptions,
  write: Write,
): Promise<number> {
  mkdirSync(options.out, { recursive: true });
  let bad = 0;
  for (const spool of spools) {
    try {
      bad += await exportOne(spool, options, write);
    } catch (error) {
      tellUnreadable(spool, error);
      bad += 1;
    }
  }
  return bad > 0 ? 1 : 0;
}

async function exportOne(spool: FoundSpool, options: ExportOptions, write: Write): Promise<number> {
  const reader = openSpoolReader(spool.directory);
  const files = new Map<string, OutFile>();
  let damaged = 0;
  try {
    for await (const { key, meta, bytes } of reader.entries()) {
      const [sink, destination] = key;
      if ((options.sink ?? sink) !== sink || (options.destination ?? destination) !== destination) continue;
      if (meta === undefined || bytes === undefined) {
        damaged += 1;
        continue;
      }
      const name = `${spool.name.replace('/', '-')}.${sink}.${destination}.bin`;
      const file = files.get(name) ?? open(join(options.out, name));
      files.set(name, file);
      writeSync(file.handle, bytes);
      file.entries += 1;
      file.rows += meta.rows;
    }
  } finally {
    for (const { handle } of files.values()) closeSync(handle);
    await reader.close();
  }
  for (const { path, entries, rows } of files.values()) {
    write(`${path}: ${formatCount(entries)} entries, ${formatCount(rows)} rows\n`);
  }
  if (damaged > 0) write(`${spool.name}: ${damaged} damaged entries were left out\n`);
  return damaged;
}

/** Never writes over a file: what was exported before may be all there is. */
function open(path: string): OutFile {
  try {
    return { path, handle: openSync(path, 'wx'), entries: 0, rows: 0 };
  } catch (error) {
    const message = `${path} cannot be written: ${(error as Error).message}.`;
    throw new GatewayError(
      'SPOOL_EXPORT_FAILED',
      message,
      'Name an empty directory that this user may write to.',
    );
  }
}
