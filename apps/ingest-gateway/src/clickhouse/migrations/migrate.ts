import { createHash } from 'node:crypto';
import { deadLetters, GatewayError } from '@activity-gateway/pipeline/api';
import { ensureEventTables } from './event-tables.js';
import {
  type MigrateOptions,
  type Migration,
  type MigrationContext,
  quoteIdentifier,
  ttlClause,
} from './migration.js';
import { applyRetention } from './retention.js';
import { configuredDays } from './table-retention.js';

interface AppliedRow {
  readonly version: number;
  readonly checksum: string;
}

/** A Nested column has to be a group of arrays, whatever the server's profile says. */
const SETTINGS = { flatten_nested: 1, wait_end_of_query: 1 } as const;

/**
 * Brings a database to the newest schema, and its tables to the configured retention. Several gateways may do it at
 * once, and a start after a crash continues it: every statement can be run again, and a step is recorded after its last
 * statement. After the steps, the tables and columns that event types declare and the database lacks are added.
 * @returns the version of the schema
 * @throws GatewayError `CLICKHOUSE_SCHEMA_NEWER` when a later version of the gateway has migrated it (nothing is changed),
 *   `CLICKHOUSE_MIGRATION_CHANGED` when a step that was applied reads differently now
 */
export async function migrate(options: MigrateOptions): Promise<number> {
  const { migrations } = options;
  const database = quoteIdentifier(options.database);
  const context: MigrationContext = {
    database,
    ttl: (column) => ttlClause(column, configuredDays(options, tableOfAge(column))),
  };
  const run = (query: string): Promise<unknown> => command(options, query);
  let applied = await appliedVersions(options, database);
  if (applied === undefined) {
    await run(`CREATE DATABASE IF NOT EXISTS ${database}`);
    await run(journalTable(database));
    applied = new Map();
  }
  refuseNewer(options, applied);
  // Somebody has dropped it, or a restored backup lacks it. The event tables are made below.
  const lacking = applied.size > 0 && (await lacksDeadLetters(options));
  for (const migration of migrations) {
    const recorded = alreadyApplied(migration, applied);
    if (recorded && !lacking) continue;
    for (const statement of migration.statements(context)) await run(statement);
    if (recorded) continue;
    await record(options, database, migration);
    options.logger.info({ version: migration.version, name: migration.name }, 'ClickHouse schema migrated');
  }
  await ensureEventTables(options, run);
  const { waiting } = await applyRetention(options);
  options.onRetention?.(waiting);
  return newestOf(migrations);
}

/** A later version may have moved or renamed what this one writes. */
function refuseNewer({ migrations, database }: MigrateOptions, applied: ReadonlyMap<number, string>): void {
  const [found, known] = [Math.max(0, ...applied.keys()), newestOf(migrations)];
  if (found <= known) return;
  throw new GatewayError(
    'CLICKHOUSE_SCHEMA_NEWER',
    `The ClickHouse database ${database} has schema version ${found}; this gateway knows versions up to ${known}. Nothing was changed.`,
    'Start the newer version of the gateway again, restore a backup of the database from before its upgrade, or use another database.',
  );
}

function newestOf(migrations: readonly Migration[]): number {
  return Math.max(0, ...migrations.map(({ version }) => version));
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

/** The first steps tell a table by the column of its age. */
function tableOfAge(column: string): string {
  return column === deadLetters.storage.time ? deadLetters.name : '';
}

async function lacksDeadLetters({ client, database, signal }: MigrateOptions): Promise<boolean> {
  const result = await client.query({
    query: 'SELECT 1 FROM system.tables WHERE database = {database:String} AND name = {name:String}',
    query_params: { database, name: deadLetters.name },
    format: 'JSONEachRow',
    abort_signal: signal,
  });
  return (await result.json()).length === 0;
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
