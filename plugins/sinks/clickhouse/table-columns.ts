import type { EventType } from '@activity-gateway/pipeline/api';
import type { Connection } from './clients.js';
import { askRows } from './exchange.js';
import { tableFields, type TableTypes } from './native/table-encoder.js';
import { quoteText } from './sql.js';
import { insertColumns, isCheckable } from './table-fields.js';

/** What the sink knows of a table from the server. */
export interface TableState {
  readonly types: TableTypes;
  /** Stands for names, types and defaults of its columns, as `structureOf` gives it; empty without a table. */
  readonly structure: string;
  /** Expression of its partitions; empty without partitions. */
  readonly partitionKey: string;
  /** Why nothing can be written to it, one sentence and what to do. */
  readonly problem?: string;
  /** What is not as it should be although it can be written to. */
  readonly warning?: string;
}

type ColumnRow = readonly [name: string, type: string, defaultKind: string];

interface ColumnsRow {
  readonly table: string;
  readonly columns: readonly ColumnRow[];
  readonly structure: string;
}

interface EngineRow {
  readonly name: string;
  readonly engine: string;
  readonly engine_full: string;
  readonly partition_key: string;
}

const MIGRATE =
  'The gateway migrates the database again within seconds, if its user may create and alter tables.';

const COLUMNS = 'arraySort(groupArray([name, type, default_kind]))';
/** A number stays whole as text. */
const STRUCTURE = `toString(cityHash64(${COLUMNS}))`;
const NOT_STORED = ['ALIAS', 'MATERIALIZED', 'EPHEMERAL'];

/** A subquery that gives the structure of a table at the time it runs, as in `TableState.structure`. */
export function structureOf(database: string, table: string): string {
  return `(SELECT ${STRUCTURE} FROM system.columns WHERE database = ${quoteText(database)} AND table = ${quoteText(table)})`;
}

/** Asks the server for the tables of event types. @throws as `askRows` */
export async function readTables(
  connection: Connection,
  eventTypes: readonly EventType[],
  signal: AbortSignal,
): Promise<Map<string, TableState>> {
  const { database } = connection.endpoint;
  const params = { database, names: eventTypes.map(({ name }) => name) };
  const ask = <Row>(query: string): Promise<Row[]> => askRows<Row>(connection, query, signal, { params });
  const where = 'WHERE database = {database:String} AND';
  const [columns, engines, [server]] = await Promise.all([
    ask<ColumnsRow>(
      `SELECT table, ${COLUMNS} AS columns, ${STRUCTURE} AS structure FROM system.columns ${where} table IN {names:Array(String)} GROUP BY table`,
    ),
    ask<EngineRow>(
      `SELECT name, engine, engine_full, partition_key FROM system.tables ${where} name IN {names:Array(String)}`,
    ),
    ask<{ value: string }>(
      "SELECT value FROM system.merge_tree_settings WHERE name = 'non_replicated_deduplication_window'",
    ),
  ]);
  const engineOf = new Map(engines.map((row) => [row.name, row]));
  return new Map(
    eventTypes.map((type) => [
      type.name,
      judgeTable(
        type,
        database,
        columns.find((row) => row.table === type.name),
        engineOf.get(type.name),
        Number(server?.value ?? 0),
      ),
    ]),
  );
}

function judgeTable(
  type: EventType,
  database: string,
  found: ColumnsRow | undefined,
  engine: EngineRow | undefined,
  serverWindow: number,
): TableState {
  const columns = found?.columns ?? [];
  const types = new Map(columns.map(([name, columnType]) => [name, columnType]));
  const known = { types, structure: found?.structure ?? '', partitionKey: engine?.partition_key ?? '' };
  const table = `${database}.${type.name}`;
  const problem =
    columns.length === 0
      ? `The table ${table} does not exist. ${MIGRATE}`
      : (engineProblem(table, engine?.engine) ?? columnProblem(type, table, columns));
  if (problem !== undefined) return { ...known, problem };
  const warning = windowWarning(table, engine?.engine_full ?? '', serverWindow);
  return warning === undefined ? known : { ...known, warning };
}

function columnProblem(type: EventType, table: string, columns: readonly ColumnRow[]): string | undefined {
  const fields = Object.keys(tableFields(type));
  const names = new Set(columns.map(([name]) => name));
  const missing = fields.filter((name) => !names.has(name));
  if (missing.length > 0) return `The table ${table} has no column ${missing.join(', ')}. ${MIGRATE}`;
  const unwritable = columns.filter(([name, , kind]) => NOT_STORED.includes(kind) && fields.includes(name));
  if (unwritable.length > 0) {
    const list = unwritable.map(([name]) => name).join(', ');
    return `The table ${table} computes the column ${list} itself or does not store it. Make it an ordinary column.`;
  }
  const unchecked = insertColumns(type, new Map(columns.map(([name, stored]) => [name, stored])))
    .filter((column) => !isCheckable(column))
    .map(({ name, stored, wire }) => `${name} ${stored} (it gets ${wire})`);
  if (unchecked.length === 0) return undefined;
  return `The table ${table} has columns into which values cannot be converted without loss: ${unchecked.join(', ')}. Change their types.`;
}

/**
 * Why rows cannot be written to a table of an engine, or `undefined`. Only the MergeTree family recognises a repeated
 * insert by its token and lets the rows of a batch be looked up; `Distributed` splits a batch anew on each attempt,
 * `Buffer` and `Memory` lose rows with the server, `Null` and the queues keep none.
 * @param engine its name, or `undefined` where the user may not see it
 */
export function engineProblem(table: string, engine: string | undefined): string | undefined {
  if (engine === undefined || /MergeTree$/.test(engine)) return undefined;
  return (
    `The table ${table} has the engine ${engine}, which does not recognise repeated inserts: a retry would lose and double rows. ` +
    `Put a table of the MergeTree family in its place (Replicated for several servers) and give the ${engine} table another name for queries.`
  );
}

/**
 * What is wrong with how a table recognises repeated inserts; without a window it takes them twice.
 * @param engine       the table's `engine_full`
 * @param serverWindow the server's default for tables that are not replicated; replicated ones have a window by default
 */
export function windowWarning(table: string, engine: string, serverWindow: number): string | undefined {
  if (!/^\w*MergeTree/.test(engine)) return undefined;
  const replicated = /^(Replicated|Shared)/.test(engine);
  const setting = replicated ? 'replicated_deduplication_window' : 'non_replicated_deduplication_window';
  const own = new RegExp(`\\b${setting} = (\\d+)`).exec(engine)?.[1];
  if (own === undefined ? replicated || serverWindow > 0 : Number(own) > 0) return undefined;
  return (
    `The table ${table} does not recognise repeated inserts, so that a retry can store events twice. ` +
    `Run: ALTER TABLE ${table} MODIFY SETTING ${setting} = 10000.`
  );
}

/** The state of a sink over its tables, as operators see it. */
export function describeTables(tables: ReadonlyMap<string, TableState>): {
  state: 'ok' | 'degraded' | 'failed';
  reason?: string;
} {
  const states = [...tables.values()];
  const problems = states.flatMap(({ problem }) => problem ?? []);
  if (problems.length > 0) return { state: 'failed', reason: problems.join(' ') };
  const warnings = states.flatMap(({ warning }) => warning ?? []);
  return warnings.length > 0 ? { state: 'degraded', reason: warnings.join(' ') } : { state: 'ok' };
}
