import {
  deadLetters,
  METADATA_FIELDS,
  type EventType,
  type FieldKind,
  type FieldSpec,
  type IndexKind,
} from '@activity-gateway/pipeline/api';
import { type MigrateOptions, quoteIdentifier, ttlClause } from './migration.js';
import { configuredDays, qualified } from './table-retention.js';

const TYPES: Readonly<Record<FieldKind, string>> = {
  time: "DateTime64(3, 'UTC')",
  text: 'String',
  keyword: 'LowCardinality(String)',
  ip: 'IPv6',
  uint8: 'UInt8',
  uint16: 'UInt16',
  uint64: 'UInt64',
  bool: 'Bool',
  'text[]': 'Array(String)',
  'keyword[]': 'Array(LowCardinality(String))',
  'uint64[]': 'Array(UInt64)',
  'bool[]': 'Array(Bool)',
  'keyword-map': 'Map(LowCardinality(String), String)',
};

/**
 * A table recognizes a repeated deduplication token only within its deduplication window; without one, tokens do
 * nothing. A shorter retention only recalculates the TTL of old parts and drops whole parts; it rewrites none.
 */
const SETTINGS =
  'SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1';

/** What there is of the event types' tables. */
interface Present {
  /** Engines by table. */
  readonly engines: ReadonlyMap<string, string>;
  /** Columns by table. */
  readonly columns: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * Creates the tables of event types that the database lacks, and adds the columns that a table lacks. Existing columns
 * stay unchanged, and so do views and distributed tables that an operator has put in a table's place.
 * @throws what the client throws
 */
export async function ensureEventTables(
  options: MigrateOptions,
  run: (statement: string) => Promise<unknown>,
): Promise<void> {
  const types = [...options.eventTypes, deadLetters];
  const present = await readPresent(options, types);
  for (const type of types) {
    const engine = present.engines.get(type.name);
    if (engine === undefined) {
      await run(createTable(options, type));
      options.logger.info({ table: type.name }, 'ClickHouse table created');
    } else if (/MergeTree$/.test(engine)) {
      await addColumns(options, type, present.columns.get(type.name) ?? new Set(), run);
    }
  }
}

async function readPresent(options: MigrateOptions, types: readonly EventType[]): Promise<Present> {
  const names = types.map(({ name }) => name);
  const tables = await rows<{ name: string; engine: string }>(
    options,
    'SELECT name, engine FROM system.tables WHERE database = {database:String} AND name IN {names:Array(String)}',
    names,
  );
  const columns = await rows<{ table: string; names: string[] }>(
    options,
    `SELECT table, groupArray(name) AS names FROM system.columns
     WHERE database = {database:String} AND table IN {names:Array(String)} GROUP BY table`,
    names,
  );
  return {
    engines: new Map(tables.map(({ name, engine }) => [name, engine])),
    columns: new Map(columns.map((row) => [row.table, new Set(row.names)])),
  };
}

async function rows<Row>(
  { client, database, signal }: MigrateOptions,
  query: string,
  names: readonly string[],
): Promise<Row[]> {
  const result = await client.query({
    query,
    query_params: { database, names },
    format: 'JSONEachRow',
    abort_signal: signal,
  });
  return result.json<Row>();
}

/** Columns go behind the field that they follow in the event type; the index of a new one comes with it. */
async function addColumns(
  { database, logger }: MigrateOptions,
  type: EventType,
  present: ReadonlySet<string>,
  run: (statement: string) => Promise<unknown>,
): Promise<void> {
  const fields = Object.entries(columnsOf(type));
  const missing = fields.filter(([name]) => !present.has(name));
  if (missing.length === 0) return;
  const clauses = missing.flatMap(([name, spec]) => {
    const index = type.storage.indexes[name];
    const added = `ADD COLUMN IF NOT EXISTS ${columnOf(name, spec)}`;
    return index === undefined ? [added] : [added, `ADD INDEX IF NOT EXISTS ${indexOf(name, index)}`];
  });
  await run(`ALTER TABLE ${qualified(database, type.name)}\n  ${clauses.join(',\n  ')}`);
  logger.info({ table: type.name, columns: missing.map(([name]) => name) }, 'ClickHouse columns added');
}

/** A field, and what the gateway knows of each event. */
function columnsOf(type: EventType): Readonly<Record<string, FieldSpec>> {
  return { ...type.fields, ...METADATA_FIELDS };
}

/** The statement that makes the table of an event type where there is none. */
function createTable(options: MigrateOptions, type: EventType): string {
  const { time, orderBy, indexes } = type.storage;
  const lines = [
    ...Object.entries(columnsOf(type)).map(([name, spec]) => columnOf(name, spec)),
    ...Object.entries(indexes).map(([name, kind]) => `INDEX ${indexOf(name, kind)}`),
    // The look-up of a write whose outcome is unknown.
    'INDEX ix_ingest_batch ingest_batch TYPE minmax GRANULARITY 1',
  ];
  const [hour, ...others] = [
    `toStartOfHour(${quoteIdentifier(time)})`,
    ...[...orderBy, time].map(quoteIdentifier),
  ];
  return `CREATE TABLE IF NOT EXISTS ${qualified(options.database, type.name)} (
  ${lines.join(',\n  ')}
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(${quoteIdentifier(time)})
ORDER BY (${[hour, ...others].join(', ')})
${ttlClause(time, configuredDays(options, type.name))}
${SETTINGS}`;
}

function columnOf(name: string, spec: FieldSpec): string {
  const text = [quoteIdentifier(name), typeOf(spec), codecOf(name, spec)];
  return text.filter((part) => part !== '').join(' ');
}

/** ClickHouse has no Nullable(LowCardinality(..)). */
function typeOf({ kind, nullable }: FieldSpec): string {
  if (nullable !== true) return TYPES[kind];
  return `Nullable(${kind === 'keyword' ? TYPES.text : TYPES[kind]})`;
}

/** Dictionaries, flags and parts of nested groups are left to the server's compression. */
function codecOf(name: string, { kind, nullable = false }: FieldSpec): string {
  if (kind === 'time' && !nullable) return 'CODEC(Delta(8), ZSTD(1))';
  const plain = (kind === 'keyword' && !nullable) || kind === 'bool' || name.includes('.');
  return plain ? '' : 'CODEC(ZSTD(1))';
}

function indexOf(name: string, kind: IndexKind): string {
  const column = quoteIdentifier(name);
  const index = quoteIdentifier(`ix_${name}`);
  return kind === 'value'
    ? `${index} ${column} TYPE bloom_filter(0.01) GRANULARITY 4`
    : `${index} lower(${column}) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 4`;
}
