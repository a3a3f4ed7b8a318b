import { Readable } from 'node:stream';
import { type ClickHouseSettings, drainStream } from '@clickhouse/client';
import type { EncodedEntry } from '@app/pipeline/api';
import type { Connection } from './clients.js';

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
  wait_end_of_query: 1,
};

/** One insert of frozen blocks into one table. */
export interface Insert {
  readonly table: string;
  /** Empty: those that the blocks name. */
  readonly columns: readonly string[];
  readonly entries: readonly EncodedEntry[];
  /** The same token again does nothing, as long as the table remembers it. */
  readonly token: string;
}

/** Sends the entries as they are, one after the other. @throws what the client throws */
export async function insertBlocks(
  { client, endpoint }: Connection,
  { table, columns, entries, token }: Insert,
  signal: AbortSignal,
): Promise<void> {
  const names = columns.length === 0 ? '' : ` (${columns.map(quote).join(', ')})`;
  const body = Readable.from(
    entries.map(({ bytes }) => bytes),
    { objectMode: false },
  );
  const result = await client.exec({
    query: `INSERT INTO ${quote(endpoint.database)}.${quote(table)}${names} FORMAT Native`,
    values: body,
    clickhouse_settings: { ...SETTINGS, insert_deduplication_token: token },
    abort_signal: signal,
  });
  await drainStream(result.stream);
}

function quote(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``;
}
