import { deadLetters } from '@activity-gateway/pipeline/api';
import { effectiveRetention, MAX_RETENTION_DAYS } from '@activity-gateway/pipeline/host';
import { type MigrateOptions, quoteIdentifier, ttlClause } from './migration.js';

/** What reading and changing the retention of the tables needs. */
export type RetentionOptions = Pick<
  MigrateOptions,
  'client' | 'logger' | 'database' | 'eventTypes' | 'retentionDays' | 'deadLetterRetentionDays' | 'signal'
>;

/** A table, how long it keeps rows and how long it should. */
export interface TableRetention {
  readonly name: string;
  readonly column: string;
  /** Its `engine_full`. */
  readonly engine: string;
  /**
   * Days, 0 = no TTL; `undefined` where the TTL is not one of the gateway's. More than `MAX_RETENTION_DAYS`: a TTL of an
   * earlier version, which wraps.
   */
  readonly currentDays: number | undefined;
  /** Days, 0 = no TTL. */
  readonly configuredDays: number;
  readonly comment: string;
}

interface TableRow {
  readonly name: string;
  readonly comment: string;
  readonly engine_full: string;
}

/** Tables of the database that are there, as they are now. */
export async function readTableRetention(
  options: RetentionOptions,
): Promise<{ readonly tables: TableRetention[]; readonly missing: string[] }> {
  const { client, signal, database } = options;
  const types = [...options.eventTypes, deadLetters];
  const names = types.map(({ name }) => name);
  const result = await client.query({
    query:
      'SELECT name, engine_full, comment FROM system.tables WHERE database = {database:String} AND name IN {names:Array(String)}',
    query_params: { database, names },
    format: 'JSONEachRow',
    abort_signal: signal,
  });
  const rows = new Map((await result.json<TableRow>()).map((row) => [row.name, row]));
  const tables = types.flatMap(({ name, storage: { time: column } }) => {
    const { engine_full: engine = '', comment = '' } = rows.get(name) ?? {};
    // Views and distributed tables that an operator put in a table's place have no TTL of their own.
    if (!/^\w*MergeTree/.test(engine)) return [];
    const ttl = ttlOf(engine);
    const currentDays = ttl === undefined ? 0 : daysOf(ttl, column);
    return [{ name, column, engine, currentDays, configuredDays: configuredDays(options, name), comment }];
  });
  return { tables, missing: names.filter((name) => !rows.has(name)) };
}

/** The retention of a table, days; 0 = no TTL. Dead letters have one of their own. */
export function configuredDays(
  {
    retentionDays,
    deadLetterRetentionDays,
  }: Pick<RetentionOptions, 'retentionDays' | 'deadLetterRetentionDays'>,
  table: string,
): number {
  return effectiveRetention(table === deadLetters.name ? deadLetterRetentionDays : retentionDays);
}

/** The TTL of an `engine_full`; `undefined` without one. */
function ttlOf(engine: string): string | undefined {
  return /\bTTL (.+?)(?: SETTINGS |$)/.exec(engine)?.[1];
}

/** Days of a TTL of the gateway's form. */
function daysOf(ttl: string, column: string): number | undefined {
  const [, name, days] = /^toDateTime\((\w+)\) \+ toIntervalDay\((\d+)\)$/.exec(ttl) ?? [];
  return name === column ? Number(days) : undefined;
}

/** Whether rows are deleted too early: the TTL ends after what a `DateTime` holds. */
export function wraps({ currentDays }: TableRetention): boolean {
  return currentDays !== undefined && currentDays > MAX_RETENTION_DAYS;
}

/** Whether the configured retention deletes nothing that the present one keeps. */
export function isLonger({ currentDays, configuredDays }: TableRetention): boolean {
  if (currentDays === undefined) return false;
  return configuredDays === 0 || (currentDays !== 0 && configuredDays > currentDays);
}

/**
 * Rows that the configured retention deletes and the present one keeps: to the second, as ClickHouse takes the TTL.
 * @throws what the client throws
 */
export async function countExpiring(options: RetentionOptions, table: TableRetention): Promise<number> {
  const { client, signal, database } = options;
  const { name, column, configuredDays, currentDays = 0 } = table;
  if (configuredDays === 0) return 0;
  // now('UTC'): a day of the server's time zone may have 23 or 25 hours.
  const bound = (days: number): string => `now('UTC') - toIntervalDay(${days}) + toIntervalSecond(1)`;
  const kept = currentDays === 0 || wraps(table) ? '' : ` AND ${column} >= ${bound(currentDays)}`;
  const result = await client.query({
    query: `SELECT toString(count()) AS rows FROM ${qualified(database, name)} WHERE ${column} < ${bound(configuredDays)}${kept}`,
    format: 'JSONEachRow',
    abort_signal: signal,
  });
  const [row] = await result.json<{ rows: string }>();
  return Number(row?.rows ?? 0);
}

/**
 * The clause that gives a table its retention, or `undefined` when it has it.
 * @param engine the table's `engine_full`
 * @param days   0, or more than `MAX_RETENTION_DAYS`, = no TTL
 */
export function retentionChange(engine: string, column: string, days: number): string | undefined {
  const current = ttlOf(engine);
  const wanted = ttlClause(column, days);
  if (wanted === '') return current === undefined ? undefined : 'REMOVE TTL';
  return current === wanted.slice('TTL '.length) ? undefined : `MODIFY ${wanted}`;
}

/** A table as a statement names it. */
export function qualified(database: string, table: string): string {
  return `${quoteIdentifier(database)}.${quoteIdentifier(table)}`;
}
