import { createHash } from 'node:crypto';
import type { ClickHouseClient } from '@clickhouse/client';
import { GatewayError, type Logger } from '@app/pipeline/api';
import { type Migration, type MigrationContext, quoteIdentifier, ttlClause } from './migration.js';
import { applyRetention } from './retention.js';

/** What a migration run needs. */
export interface MigrateOptions {
  readonly client: ClickHouseClient;
  readonly logger: Logger;
  readonly migrations: readonly Migration[];
  readonly database: string;
  /** 0 = keep for ever. */
  readonly retentionDays: number;
  /** Of the dead letters; 0 = keep for ever. */
  readonly deadLetterRetentionDays: number;
  readonly signal?: AbortSignal;
}

interface AppliedRow {
  readonly version: number;
  readonly checksum: string;
}

/** A Nested column has to be a group of arrays, whatever the server's profile says. */
const SETTINGS = { flatten_nested: 1, wait_end_of_query: 1 } as const;

/**
 * Brings a database to the newest schema, and its tables to the configured retention. Safe when several gateways do it
 * at once, and after a crash half-way: every statement can be run again, and a step is recorded after its last one.
 * @returns the version of the schema
 * @throws GatewayError `CLICKHOUSE_MIGRATION_CHANGED` when a step that was applied reads differently now
 */
export async function migrate(options: MigrateOptions): Promise<number> {
  const { migrations, retentionDays } = options;
  const database = quoteIdentifier(options.database);
  const context: MigrationContext = { database, ttl: (column) => ttlClause(column, retentionDays) };
  const run = (query: string): Promise<unknown> => command(options, query);
  let applied = await appliedVersions(options, database);
  if (applied === undefined) {
    await run(`CREATE DATABASE IF NOT EXISTS ${database}`);
    await run(journalTable(database));
    applied = new Map();
  }
  for (const migration of migrations) {
    if (alreadyApplied(migration, applied)) continue;
    for (const statement of migration.statements(context)) await run(statement);
    await record(options, database, migration);
    options.logger.info({ version: migration.version, name: migration.name }, 'ClickHouse schema migrated');
  }
  await applyRetention(options);
  return Math.max(...migrations.map((each) => each.version), ...applied.keys());
}

/** Fingerprint of a step's text, for a fixed database and retention. */
export function checksum(migration: Migration): string {
  const fixed = { database: '`activity`', ttl: (column: string) => ttlClause(column, 400) };
  return createHash('sha256').update(migration.statements(fixed).join(';\n')).digest('hex');
}

function alreadyApplied(migration: Migration, applied: ReadonlyMap<number, string>): boolean {
  const recorded = applied.get(migration.version);
  if (recorded === undefined) return false;
  if (recorded === checksum(migration)) return true;
  throw new GatewayError(
    'CLICKHOUSE_MIGRATION_CHANGED',
    `Step ${migration.version} (${migration.name}) of the ClickHouse schema was applied in another form than this gateway knows.`,
    'Run the version of the gateway that made the tables, or use a new database.',
  );
}

/** Checksums by version; `undefined` when nothing was ever recorded. */
async function appliedVersions(
  options: MigrateOptions,
  database: string,
): Promise<Map<number, string> | undefined> {
  const { client, signal } = options;
  const known = await client.query({
    query:
      "SELECT 1 FROM system.tables WHERE database = {database:String} AND name = 'schema_migrations' LIMIT 1",
    query_params: { database: options.database },
    format: 'JSONEachRow',
    abort_signal: signal,
  });
  if ((await known.json()).length === 0) return undefined;
  const result = await client.query({
    query: `SELECT version, argMin(checksum, applied_at) AS checksum FROM ${database}.schema_migrations GROUP BY version`,
    format: 'JSONEachRow',
    abort_signal: signal,
  });
  const rows = await result.json<AppliedRow>();
  return new Map(rows.map((row) => [row.version, row.checksum]));
}

function journalTable(database: string): string {
  return `CREATE TABLE IF NOT EXISTS ${database}.schema_migrations (
  version UInt32,
  name String,
  checksum String,
  applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY version`;
}

async function record(options: MigrateOptions, database: string, migration: Migration): Promise<void> {
  await options.client.insert({
    table: `${database}.schema_migrations`,
    columns: ['version', 'name', 'checksum'],
    values: [{ version: migration.version, name: migration.name, checksum: checksum(migration) }],
    format: 'JSONEachRow',
    clickhouse_settings: { async_insert: 0 },
    abort_signal: options.signal,
  });
}

async function command(options: MigrateOptions, query: string): Promise<void> {
  await options.client.command({ query, clickhouse_settings: SETTINGS, abort_signal: options.signal });
}
