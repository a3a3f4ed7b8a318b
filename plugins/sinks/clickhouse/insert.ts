import { ClickHouseError, type ClickHouseSettings } from '@clickhouse/client';
import { type EncodedEntry, RetryableError } from '@activity-gateway/pipeline/api';
import type { BodyLimit } from './body-limit.js';
import type { Connection } from './clients.js';
import { isTooLarge, UnexpectedAnswer } from './exchange.js';
import { columnList, quoteName, quoteText } from './sql.js';
import { joinNeighbours } from './join-neighbours.js';
import { runInsertUnder } from './running-inserts.js';
import { rowsOf } from './slice-entries.js';
import { structureOf } from './table-columns.js';
import { inputOf, type InsertColumn, valueOf } from './table-fields.js';
import { failedView, type ViewWatch } from './views.js';

/** More rows than any insert has: every insert stays one block, and so one part a partition and atomic. */
const ONE_BLOCK = '1000000000';

/**
 * What makes an insert count once and fail rather than lose something, set on each insert, whatever the server's or
 * the user's defaults are.
 */
const SETTINGS: ClickHouseSettings = {
  async_insert: 0,
  insert_deduplicate: 1,
  deduplicate_blocks_in_dependent_materialized_views: 1,
  input_format_skip_unknown_fields: 0,
  input_format_null_as_default: 1,
  max_insert_block_size: ONE_BLOCK,
  min_insert_block_size_rows: ONE_BLOCK,
  min_insert_block_size_bytes: '0',
  // Rows are counted in the order of the blocks.
  max_threads: 1,
  max_insert_threads: '1',
};

/** For blocks whose types are those of the table, dictionaries aside: any other is refused, and NULL becomes a default. */
const UNCONVERTED: ClickHouseSettings = { input_format_native_allow_types_conversion: 0 };

/** For blocks that are converted: to those of `input(..)` without loss, and from there with checks. */
export const CONVERTED: ClickHouseSettings = {
  input_format_native_allow_types_conversion: 1,
  date_time_overflow_behavior: 'throw',
  short_circuit_function_evaluation: 'enable',
};

/** Errors of views, and views without a target, are left aside. */
const PAST_VIEWS: ClickHouseSettings = {
  materialized_views_ignore_errors: 1,
  ignore_materialized_views_with_dropped_target_table: 1,
};

const TYPE_MISMATCH = '53';
const THROWN_ON_PURPOSE = '395';
/** What an insert fails with when its table is not as it was read. */
const CHANGED = 'gateway: the columns have changed';

/** Rows of the entries that are inserted, where not all of them are. */
export interface Slice {
  readonly offset: number;
  readonly rows: number;
  /** A condition over the columns, which have the table's types, or none. */
  readonly where?: string | undefined;
}

/** One insert of frozen blocks into one table. */
export interface Insert {
  readonly table: string;
  /** Empty: those that the blocks name. */
  readonly columns: readonly InsertColumn[];
  /** Of the table when its columns were read, as `TableState.structure`. */
  readonly structure: string;
  readonly entries: readonly EncodedEntry[];
  /** The same token again does nothing, as long as the table remembers it. */
  readonly token: string;
  /** Told whether the materialized views of the table got the rows. */
  readonly views: ViewWatch;
  /** Knows which bodies are not worth sending. */
  readonly limit: BodyLimit;
  readonly slice?: Slice;
}

/** What a statement reads, and what has to come of it. */
export interface SentBlocks extends Pick<Insert, 'table' | 'entries' | 'token' | 'views' | 'limit'> {
  /** Rows that it stores at least; a condition may leave out others. */
  readonly rows: number;
}

/** The columns of a table are not those that were read: they have to be read again. */
export class StructureChanged extends RetryableError {
  constructor(table: string, options?: ErrorOptions) {
    super(`The columns of ${table} have changed; they are read again.`, 'SCHEMA_CHANGED', 0, options);
  }
}

/**
 * Sends the entries as they are, one after the other; a slice of them is cut out by the server.
 *
 * No value is stored as another one, also while somebody alters the table. Where the columns have the types of the blocks,
 * ClickHouse is told not to convert and refuses the insert if that is true no longer. Otherwise it converts with checks, to
 * types that the same statement compares with those of the table: an insert sees its table as it is when it begins.
 * @throws StructureChanged, or as `runInsertUnder`
 */
export async function insertBlocks(
  connection: Connection,
  insert: Insert,
  signal: AbortSignal,
): Promise<void> {
  const { table, columns, slice } = insert;
  const names = columns.length === 0 ? '' : ` (${columnList(columns.map(({ name }) => name))})`;
  const into = `INSERT INTO ${quoteName(connection.endpoint.database)}.${quoteName(table)}${names}`;
  const blocks = { ...insert, rows: rowsOfInsert(insert) };
  if (slice === undefined && !columns.some(({ converted }) => converted)) {
    try {
      await sendBlocks(connection, into, blocks, UNCONVERTED, signal);
      return;
    } catch (error) {
      if (!isCode(error, TYPE_MISMATCH) || columns.length === 0) throw error;
    }
  }
  try {
    await sendBlocks(connection, `${into} ${selectOf(connection, insert)}`, blocks, CONVERTED, signal);
  } catch (error) {
    if (isCode(error, THROWN_ON_PURPOSE) && (error as Error).message.includes(CHANGED)) {
      throw new StructureChanged(table, { cause: error });
    }
    throw error;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof ClickHouseError && error.code === code;
}

function rowsOfInsert({ entries, slice }: Insert): number {
  if (slice === undefined) return rowsOf(entries);
  return slice.where === undefined ? slice.rows : 0;
}

/**
 * Runs a statement that reads the entries as blocks. When a materialized view fails, the rows are in the table and not in the
 * views. The same insert under the same token, told to go past errors of views, makes sure of that: it stores what is not
 * stored, and gives the rows to the views that work.
 * @throws as `runInsertUnder`; an error that `failedView` knows when the second insert failed in a view too
 */
export async function sendBlocks(
  connection: Connection,
  statement: string,
  { table, entries, token, rows, views, limit }: SentBlocks,
  settings: ClickHouseSettings,
  signal: AbortSignal,
): Promise<void> {
  const request = {
    statement: `${statement} FORMAT Native`,
    body: joinNeighbours(entries),
    settings: { ...SETTINGS, ...ROW_JSON, ...settings, insert_deduplication_token: token },
    rows,
  };
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes.length, 0);
  if (entries.length > 1 && limit.exceeds(bytes)) throw new UnexpectedAnswer(413, `${bytes} bytes, not sent`);
  try {
    await runInsertUnder(token, connection, request, signal);
    limit.accepted(bytes);
    views.passed(table);
  } catch (error) {
    if (isTooLarge(error)) limit.refused(bytes);
    const view = failedView(error);
    if (view === undefined) throw error;
    const pastViews = { ...request, settings: { ...request.settings, ...PAST_VIEWS } };
    await runInsertUnder(token, connection, pastViews, signal);
    views.failed(table, view, rows);
  }
}

/** The form of a row as JSON: nothing is lost, times are ISO 8601 with `Z`. */
export const ROW_JSON: ClickHouseSettings = {
  date_time_output_format: 'iso',
  output_format_json_quote_64bit_integers: 0,
  output_format_json_escape_forward_slashes: 0,
  output_format_json_quote_denormals: 1,
};

function selectOf({ endpoint }: Connection, { table, columns, structure, slice }: Insert): string {
  const values = columns.map(valueOf).join(', ');
  const input = inputOf(columns);
  const from =
    slice === undefined ? input : `(SELECT * FROM ${input} LIMIT ${slice.rows} OFFSET ${slice.offset})`;
  const changed = `${structureOf(endpoint.database, table)} != ${quoteText(structure)}`;
  const conditions = [`NOT throwIf(${changed}, ${quoteText(CHANGED)})`];
  if (slice?.where !== undefined) conditions.push(slice.where);
  return `SELECT * FROM (SELECT ${values} FROM ${from}) WHERE ${conditions.join(' AND ')}`;
}
