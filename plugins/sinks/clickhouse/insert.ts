import type { ClickHouseSettings } from '@clickhouse/client';
import type { EncodedEntry } from '@app/pipeline/api';
import type { Connection } from './clients.js';
import { runInsert } from './exchange.js';
import { columnList, quoteName } from './sql.js';
import { joinNeighbours } from './join-neighbours.js';
import { rowsOf } from './slice-entries.js';
import { inputOf, type InsertColumn, valueOf } from './table-fields.js';

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
  input_format_native_allow_types_conversion: 1,
  max_insert_block_size: ONE_BLOCK,
  min_insert_block_size_rows: ONE_BLOCK,
  min_insert_block_size_bytes: '0',
  // Rows are counted in the order of the blocks.
  max_threads: 1,
  max_insert_threads: '1',
};

/** Rows of the entries that are inserted, where not all of them are. */
export interface Slice {
  readonly offset: number;
  readonly rows: number;
  /** A condition over the columns, or none. */
  readonly where?: string | undefined;
  /** Whether the condition needs values of the table's types. */
  readonly exact?: boolean | undefined;
}

/** One insert of frozen blocks into one table. */
export interface Insert {
  readonly table: string;
  /** Empty: those that the blocks name. */
  readonly columns: readonly InsertColumn[];
  readonly entries: readonly EncodedEntry[];
  /** The same token again does nothing, as long as the table remembers it. */
  readonly token: string;
  readonly slice?: Slice;
}

/** What a statement reads, and what has to come of it. */
export interface SentBlocks extends Pick<Insert, 'entries' | 'token'> {
  /** Rows that it stores at least; a condition may leave out others. */
  readonly rows: number;
}

/** Sends the entries as they are, one after the other; a slice of them is cut out by the server. @throws as `runInsert` */
export async function insertBlocks(
  connection: Connection,
  insert: Insert,
  signal: AbortSignal,
): Promise<void> {
  const { table, columns, slice } = insert;
  const names = columns.length === 0 ? '' : ` (${columnList(columns.map(({ name }) => name))})`;
  const into = `INSERT INTO ${quoteName(connection.endpoint.database)}.${quoteName(table)}${names}`;
  const plain = slice === undefined && !columns.some(({ narrow }) => narrow);
  const statement = plain ? into : `${into} ${selectOf(columns, slice)}`;
  await sendBlocks(connection, statement, { ...insert, rows: rowsOfInsert(insert) }, signal);
}

function rowsOfInsert({ entries, slice }: Insert): number {
  if (slice === undefined) return rowsOf(entries);
  return slice.where === undefined ? slice.rows : 0;
}

/** Runs a statement that reads the entries as blocks. @throws as `runInsert` */
export async function sendBlocks(
  connection: Connection,
  statement: string,
  { entries, token, rows }: SentBlocks,
  signal: AbortSignal,
): Promise<void> {
  const request = {
    statement: `${statement} FORMAT Native`,
    body: joinNeighbours(entries),
    settings: { ...SETTINGS, ...ROW_JSON, insert_deduplication_token: token },
    rows,
  };
  await runInsert(connection, request, signal);
}

/** The form of a row as JSON: nothing is lost, times are ISO 8601 with `Z`. */
export const ROW_JSON: ClickHouseSettings = {
  date_time_output_format: 'iso',
  output_format_json_quote_64bit_integers: 0,
  output_format_json_escape_forward_slashes: 0,
  output_format_json_quote_denormals: 1,
};

function selectOf(columns: readonly InsertColumn[], slice: Slice | undefined): string {
  const values = columns.map((column) => valueOf(column, slice?.exact === true)).join(', ');
  if (slice === undefined) return `SELECT ${values} FROM ${inputOf(columns)}`;
  const rows = `SELECT * FROM ${inputOf(columns)} LIMIT ${slice.rows} OFFSET ${slice.offset}`;
  const select = `SELECT ${values} FROM (${rows})`;
  return slice.where === undefined ? select : `SELECT * FROM (${select}) WHERE ${slice.where}`;
}
