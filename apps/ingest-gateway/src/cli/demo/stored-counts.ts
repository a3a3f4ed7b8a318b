import { type EventType, GatewayError } from '@activity-gateway/pipeline/api';
import { authorizationOf } from '../../clickhouse/embedded-config.js';
import { readAccessFile } from '../../clickhouse/access-file.js';

/** Which events count: those of one run. */
export interface RunFilter {
  /** SPKI hashes of the run's agents. */
  readonly agents: readonly string[];
  /** Milliseconds since 1970-01-01 UTC; nothing of the run was received before. */
  readonly since: number;
}

/** Events in ClickHouse by `EventType.type`; `unknown` for dead letters without one. */
export interface StoredCounts {
  readonly stored: ReadonlyMap<string, number>;
  readonly deadLetters: ReadonlyMap<string, number>;
  readonly totalStored: number;
  readonly totalDeadLetters: number;
}

const QUERY_TIMEOUT_MS = 10_000;

interface CountRow {
  readonly place: 'stored' | 'dead';
  readonly kind: string;
  readonly events: string | number;
}

/**
 * Counts in the embedded ClickHouse, over its HTTP port, what a run has left there.
 * @param dataDir of the gateway, where the access to its ClickHouse is written
 * @throws GatewayError `DEMO_QUERY_FAILED`
 */
export async function countStored(
  dataDir: string,
  filter: RunFilter,
  eventTypes: readonly EventType[],
): Promise<StoredCounts> {
  const rows = await query(dataDir, countSql(filter, eventTypes));
  const stored = new Map<string, number>();
  const deadLetters = new Map<string, number>();
  for (const { place, kind, events } of rows)
    (place === 'stored' ? stored : deadLetters).set(kind, Number(events));
  return { stored, deadLetters, totalStored: sum(stored), totalDeadLetters: sum(deadLetters) };
}

function countSql({ agents, since }: RunFilter, eventTypes: readonly EventType[]): string {
  const list = agents.map((agent) => `'${agent}'`).join(', ');
  const where = `WHERE agent_spki IN (${list}) AND received_at >= fromUnixTimestamp64Milli(${since}, 'UTC')`;
  const tables = eventTypes.map(
    ({ name, type }) =>
      `SELECT 'stored' AS place, '${type}' AS kind, count() AS events FROM activity.${name} ${where}`,
  );
  const dead = `SELECT 'dead' AS place, if(event_type = '', 'unknown', event_type) AS kind, count() AS events FROM activity.dead_letters ${where} GROUP BY kind`;
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
