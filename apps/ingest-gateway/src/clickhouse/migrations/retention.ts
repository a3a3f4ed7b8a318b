import type { MigrateOptions } from './migrate.js';
import { quoteIdentifier, ttlClause } from './migration.js';

/** Tables whose rows expire, and the column that their age is told by. Dead letters have a retention of their own. */
const EXPIRING: Readonly<Record<string, string>> = {
  file_events: 'event_time',
  sharepoint_events: 'event_time',
  copilot_events: 'event_time',
  leef_events: 'event_time',
  dead_letters: 'received_at',
};
const DEAD_LETTERS = 'dead_letters';

interface TableRow {
  readonly name: string;
  readonly engine_full: string;
}

/** Gives every table the configured retention, where it has another one. */
export async function applyRetention(options: MigrateOptions): Promise<void> {
  const { client, signal } = options;
  const result = await client.query({
    query:
      'SELECT name, engine_full FROM system.tables WHERE database = {database:String} AND name IN {names:Array(String)}',
    query_params: { database: options.database, names: Object.keys(EXPIRING) },
    format: 'JSONEachRow',
    abort_signal: signal,
  });
  for (const { name, engine_full: engine } of await result.json<TableRow>()) {
    const column = EXPIRING[name];
    // Views and distributed tables that an operator put in a table's place have no TTL of their own.
    if (column === undefined || !/^\w*MergeTree/.test(engine)) continue;
    const retentionDays = name === DEAD_LETTERS ? options.deadLetterRetentionDays : options.retentionDays;
    const clause = retentionChange(engine, column, retentionDays);
    if (clause === undefined) continue;
    await client.command({
      query: `ALTER TABLE ${quoteIdentifier(options.database)}.${quoteIdentifier(name)} ${clause}`,
      // The old parts are brought in line in the background; nobody waits for it.
      clickhouse_settings: { alter_sync: '1', mutations_sync: '0' },
      abort_signal: signal,
    });
    options.logger.info({ table: name, retentionDays }, 'ClickHouse retention changed');
  }
}

/**
 * The clause that gives a table its retention, or `undefined` when it has it.
 * @param engine the table's `engine_full`
 * @param days   0 = keep for ever
 */
export function retentionChange(engine: string, column: string, days: number): string | undefined {
  const current = /\bTTL (.+?)(?: SETTINGS |$)/.exec(engine)?.[1];
  if (days === 0) return current === undefined ? undefined : 'REMOVE TTL';
  const wanted = ttlClause(column, days);
  return current === wanted.slice('TTL '.length) ? undefined : `MODIFY ${wanted}`;
}
