import { openSpoolReader } from '@activity-gateway/pipeline/host';
import { formatCount } from '../agent/table.js';
import type { Write } from '../print-problems.js';
import type { FoundSpool } from './find-spools.js';
import { tellUnreadable } from './tell-unreadable.js';

/** Reads every entry of the spools and checks it. Returns the exit code: 1 when one is damaged. */
export async function verifySpools(spools: readonly FoundSpool[], write: Write): Promise<number> {
  let bad = 0;
  for (const spool of spools) {
    try {
      bad += await verify(spool, write);
    } catch (error) {
      tellUnreadable(spool, error);
      bad += 1;
    }
  }
  return bad > 0 ? 1 : 0;
}

async function verify({ name, directory }: FoundSpool, write: Write): Promise<number> {
  const reader = openSpoolReader(directory);
  let entries = 0;
  let damaged = 0;
  try {
    for await (const { key, meta, bytes } of reader.entries()) {
      entries += 1;
      if (bytes !== undefined) continue;
      damaged += 1;
      const id = meta === undefined ? 'its record cannot be read' : meta.id;
      write(`${name}: damaged entry ${key[2]} of ${key[0]}, ${key[1]}: ${id}\n`);
    }
    const { quarantined } = await reader.report();
    write(`${name}: ${formatCount(entries)} entries, ${damaged} damaged, ${quarantined} set aside before\n`);
    return damaged + quarantined;
  } finally {
    await reader.close();
  }
}
