import { randomUUID } from 'node:crypto';
import type { EncodedEntry, RejectedRow } from '@activity-gateway/pipeline/api';
import type { Connection } from './clients.js';
import { askBlocks, isTooLarge } from './exchange.js';
import { ROW_JSON } from './insert.js';
import type { Refusal } from './refusal.js';
import { columnList } from './sql.js';
import { structureOfBlocks, type InsertColumn } from './table-fields.js';

/** Rejected rows of one batch by their number, from 0 over all entries. */
export type RefusedRows = ReadonlyMap<number, Refusal>;

/** Rows of one question: the statement, which names each of them, has to stay shorter than a URL may be. */
const MAX_ROWS = 10_000;

type RefusedRow = readonly [row: number, refusal: Refusal];

interface ReadRow {
  readonly n: string;
  readonly raw: string;
  readonly received_at: string;
  readonly agent_spki: string;
  readonly agent_host: string;
  readonly source_ip: string;
}

/**
 * Reads rejected rows out of their blocks. ClickHouse does it, which gets the blocks as an external table: the gateway has no
 * decoder for them. Blocks that are too large to be sent together go one by one.
 * @throws as `askBlocks`
 */
export async function readRejected(
  connection: Connection,
  columns: readonly InsertColumn[],
  entries: readonly EncodedEntry[],
  refused: RefusedRows,
  signal: AbortSignal,
): Promise<RejectedRow[]> {
  const rows = [...refused].sort(([a], [b]) => a - b);
  const read = (some: readonly EntryRows[]): Promise<RejectedRow[]> =>
    readFrom(connection, columns, some, signal);
  const found: RejectedRow[] = [];
  for (let from = 0; from < rows.length; from += MAX_ROWS) {
    const byEntry = groupByEntry(entries, rows.slice(from, from + MAX_ROWS));
    try {
      found.push(...(await read(byEntry)));
    } catch (error) {
      if (!isTooLarge(error) || byEntry.length < 2) throw error;
      for (const one of byEntry) found.push(...(await read([one])));
    }
  }
  return found;
}

interface EntryRows {
  readonly index: number;
  readonly entry: EncodedEntry;
  /** Its first row, over the whole batch. */
  readonly first: number;
  readonly rows: readonly RefusedRow[];
}

/** The entries that hold the rows, which rise. */
function groupByEntry(entries: readonly EncodedEntry[], rows: readonly RefusedRow[]): EntryRows[] {
  let first = 0;
  return entries.flatMap((entry, index) => {
    const begin = first;
    first += entry.rows;
    const ofEntry = rows.filter(([row]) => row >= begin && row < first);
    return ofEntry.length === 0 ? [] : [{ index, entry, first: begin, rows: ofEntry }];
  });
}

/** Sends the entries that hold the rows, and no others; the server counts the rows over what it gets. */
async function readFrom(
  connection: Connection,
  columns: readonly InsertColumn[],
  groups: readonly EntryRows[],
  signal: AbortSignal,
): Promise<RejectedRow[]> {
  const places = new Map<number, { readonly refusal: Refusal; readonly entry: number }>();
  let sent = 0;
  for (const { index, entry, first, rows } of groups) {
    for (const [row, refusal] of rows) places.set(row - first + sent, { refusal, entry: index });
    sent += entry.rows;
  }
  const table = `rejected_${randomUUID().replaceAll('-', '')}`;
  const all = columnList(columns.map(({ name }) => name));
  // Old wire types of addresses and times come out as the table's would.
  const query = `SELECT toString(rowNumberInAllBlocks()) AS n, formatRowNoNewline('JSONEachRow', ${all}) AS raw,
toString(toUnixTimestamp64Milli(received_at)) AS received_at, toString(agent_spki) AS agent_spki, toString(agent_host) AS agent_host,
replaceRegexpOne(toString(source_ip), '^::ffff:(\\d+\\.)', '\\1') AS source_ip FROM ${table} WHERE rowNumberInAllBlocks() IN (${[...places.keys()].join(',')})`;
  const request = {
    query,
    table,
    structure: structureOfBlocks(columns),
    blocks: groups.map(({ entry }) => entry.bytes),
    settings: { ...ROW_JSON, max_threads: 1 },
  };
  const read = await askBlocks<ReadRow>(connection, request, signal);
  return read.map(({ n, raw, received_at: receivedAt, ...origin }) => {
    const place = places.get(Number(n));
    if (place === undefined) throw new Error('ClickHouse has returned a row that was not asked for.');
    const { agent_spki: sender, agent_host: senderHost, source_ip: sourceIp } = origin;
    return {
      ...place.refusal,
      raw,
      receivedAt: Number(receivedAt),
      origin: { sender, senderHost, sourceIp },
      entry: place.entry,
    };
  });
}
