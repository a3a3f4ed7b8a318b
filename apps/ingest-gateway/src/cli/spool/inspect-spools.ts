import { openSpoolReader, type LaneReport, type SpoolReport } from '@activity-gateway/pipeline/host';
import { formatTable } from '../agent/table.js';
import type { Write } from '../print-problems.js';
import type { FoundSpool } from './find-spools.js';
import { tellUnreadable } from './tell-unreadable.js';

/** Prints what waits in the spools. Returns the exit code: 1 when one cannot be read or holds damaged entries. */
export async function inspectSpools(
  spools: readonly FoundSpool[],
  json: boolean,
  write: Write,
): Promise<number> {
  const reports: (SpoolReport & FoundSpool)[] = [];
  let unreadable = 0;
  for (const spool of spools) {
    try {
      reports.push({ ...spool, ...(await inspect(spool)) });
    } catch (error) {
      tellUnreadable(spool, error);
      unreadable += 1;
    }
  }
  write(json ? `${JSON.stringify(reports, null, 2)}\n` : reports.map(describe).join('\n'));
  return unreadable > 0 || reports.some(({ quarantined }) => quarantined > 0) ? 1 : 0;
}

async function inspect({ directory }: FoundSpool): Promise<SpoolReport> {
  const reader = openSpoolReader(directory);
  try {
    return await reader.report();
  } finally {
    await reader.close();
  }
}

function describe({ name, directory, format, lanes, quarantined }: SpoolReport & FoundSpool): string {
  const waiting = lanes.filter(({ entries }) => entries > 0);
  const lines = [`${name} (format ${format}), ${directory}\n`];
  if (waiting.length === 0) lines.push('  Nothing waits.\n');
  else lines.push(formatTable([HEADER, ...waiting.map(toRow)]));
  for (const { sink, frozen } of lanes) {
    for (const { token, entries, rows, frozenAt } of frozen) {
      const since = new Date(frozenAt).toISOString();
      lines.push(`  frozen for ${sink} since ${since}: ${entries} entries, ${rows} rows, ${token}\n`);
    }
  }
  if (quarantined > 0) lines.push(`  ${quarantined} damaged entries are set aside.\n`);
  return lines.join('');
}

const HEADER = ['sink, destination', 'entries', 'rows', 'bytes', 'oldest'];

function toRow({ sink, destination, entries, rows, bytes, oldest }: LaneReport): (string | number)[] {
  const since = oldest === undefined ? '' : new Date(oldest).toISOString();
  return [`${sink}, ${destination}`, entries, rows, bytes, since];
}
