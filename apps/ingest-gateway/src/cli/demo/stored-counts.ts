import type { GeneratedKind } from '@activity-gateway/agent';
import { GatewayError } from '@activity-gateway/pipeline/api';
import { authorizationOf } from '../../clickhouse/embedded-config.js';
import { readAccessFile } from '../../clickhouse/access-file.js';

/** Which events count: those of one run. */
export interface RunFilter {
  /** SPKI hashes of the run's agents. */
  readonly agents: readonly string[];
  /** Milliseconds since 1970-01-01 UTC; nothing of the run was received before. */
  readonly since: number;
}

/** Events in ClickHouse by kind. */
export interface StoredCounts {
  readonly stored: ReadonlyMap<GeneratedKind, number>;
  readonly deadLetters: ReadonlyMap<GeneratedKind, number>;
  readonly totalStored: number;
  readonly totalDeadLetters: number;
}

const TABLES = [
  ['file', 'file_events'],
  ['sharepoint', 'sharepoint_events'],
  ['copilot', 'copilot_events'],
  ['leef', 'leef_events'],
] as const;
const QUERY_TIMEOUT_MS = 10_000;

interface CountRow {
  readonly place: 'stored' | 'dead';
  readonly kind: GeneratedKind;
  readonly events: string | number;
}

/**
 * Counts in the embedded ClickHouse, over its HTTP port, what a run has left there.
 * @param dataDir of the gateway, where the access to its ClickHouse is written
 * @throws GatewayError `DEMO_QUERY_FAILED`
 */
export async function countStored(dataDir: string, filter: RunFilter): Promise<StoredCounts> {
  const rows = await query(dataDir, countSql(filter));
  const stored = new Map<GeneratedKind, number>();
  const deadLetters = new Map<GeneratedKind, number>();
  for (const { place, kind, events } of rows)
    (place === 'stored' ? stored : deadLetters).set(kind, Number(events));
  return { stored, deadLetters, totalStored: sum(stored), totalDeadLetters: sum(deadLetters) };
}

/** A dead letter's type is read from the line as it was received; a line that is no JSON can only be LEEF. */
function countSql({ agents, since }: RunFilter): string {
  const list = agents.map((agent) => `'${agent}'`).join(', ');
  const where = `WHERE agent_spki IN (${list}) AND received_at >= fromUnixTimestamp64Milli(${since}, 'UTC')`;
  const tables = TABLES.map(
    ([kind, table]) =>
      `SELECT 'stored' AS place, '${kind}' AS kind, count() AS events FROM activity.${table} ${where}`,
  );
  const type = `if(startsWith(raw, '{'), JSONExtractString(raw, 'ActivityType'), 'Leef')`;
  const names = `['FileSystem', 'SharePointOnline', 'Copilot', 'Leef'], ['file', 'sharepoint', 'copilot', 'leef']`;
  const dead = `SELECT 'dead' AS place, transform(${type}, ${names}, 'unknown') AS kind, count() AS events FROM activity.dead_letters ${where} GROUP BY kind`;
  return [...tables, dead].join('\nUNION ALL\n');
}

async function query(dataDir: string, sql: string): Promise<CountRow[]> {
  try {
    const access = await readAccessFile(dataDir);
    if (access === undefined) throw new Error('it does not run.');
    const address = new URL(access.url);
    address.searchParams.set('default_format', 'JSONEachRow');
    const response = await fetch(address, {
      method: 'POST',
      body: sql,
      headers: { authorization: authorizationOf(access) },
      signal: AbortSignal.timeout(QUERY_TIMEOUT_MS),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(text.slice(0, 500));
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as CountRow);
  } catch (error) {
    throw new GatewayError('DEMO_QUERY_FAILED', `ClickHouse cannot be asked: ${(error as Error).message}`);
  }
}

function sum(counts: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}
