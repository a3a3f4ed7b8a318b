import type { EventType } from '@app/pipeline/api';
import type { Connection } from './clients.js';
import { askRows } from './exchange.js';
import { tableFields, type TableTypes } from './native/table-encoder.js';

/** What the sink knows of a table from the server. */
export interface TableState {
  readonly types: TableTypes;
  /** Expression of its partitions; empty without partitions. */
  readonly partitionKey: string;
  /** Why nothing can be written to it, one sentence and what to do. */
  readonly problem?: string;
  /** What is not as it should be although it can be written to. */
  readonly warning?: string;
}

interface ColumnRow {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly default_kind: string;
}

interface EngineRow {
  readonly name: string;
  readonly engine_full: string;
  readonly partition_key: string;
}

const MIGRATE =
  'The gateway migrates the database again within seconds, if its user may create and alter tables.';

/** Asks the server for the tables of event types. @throws as `askRows` */
export async function readTables(
  connection: Connection,
  eventTypes: readonly EventType[],
  signal: AbortSignal,
): Promise<Map<string, TableState>> {
  const names = eventTypes.map(({ name }) => name);
  const { endpoint } = connection;
  const ask = <Row>(query: string): Promise<Row[]> =>
    askRows<Row>(connection, query, signal, { database: endpoint.database, names });
  const where = 'WHERE database = {database:String} AND';
  const [columns, engines, [server]] = await Promise.all([
    ask<ColumnRow>(
      `SELECT table, name, type, default_kind FROM system.columns ${where} table IN {names:Array(String)}`,
    ),
    ask<EngineRow>(
      `SELECT name, engine_full, partition_key FROM system.tables ${where} name IN {names:Array(String)}`,
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
        endpoint.database,
        columns.filter((row) => row.table === type.name),
        engineOf.get(type.name),
        Number(server?.value ?? 0),
      ),
    ]),
  );
}

function judgeTable(
  type: EventType,
  database: string,
  columns: readonly ColumnRow[],
  engine: EngineRow | undefined,
  serverWindow: number,
): TableState {
  const partitionKey = engine?.partition_key ?? '';
  const types = new Map(columns.map((row) => [row.name, row.type]));
  const table = `${database}.${type.name}`;
  if (columns.length === 0) {
    return { types, partitionKey, problem: `The table ${table} does not exist. ${MIGRATE}` };
  }
  const fields = Object.keys(tableFields(type));
  const missing = fields.filter((name) => !types.has(name));
  if (missing.length > 0) {
    return {
      types,
      partitionKey,
      problem: `The table ${table} has no column ${missing.join(', ')}. ${MIGRATE}`,
    };
  }
  const computed = columns.filter((row) => ['ALIAS', 'MATERIALIZED'].includes(row.default_kind));
  const unwritable = computed.filter((row) => fields.includes(row.name)).map((row) => row.name);
  if (unwritable.length > 0) {
    return {
      types,
      partitionKey,
      problem: `The table ${table} computes the column ${unwritable.join(', ')} itself.`,
    };
  }
  const warning = windowWarning(table, engine?.engine_full ?? '', serverWindow);
  return warning === undefined ? { types, partitionKey } : { types, partitionKey, warning };
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
