import { deadLetters, type EncodedEntry } from '@activity-gateway/pipeline/api';
import type { BodyLimit } from './body-limit.js';
import type { Connection } from './clients.js';
import { isTooLarge } from './exchange.js';
import { CONVERTED, sendBlocks } from './insert.js';
import type { Refusal } from './refusal.js';
import { columnList, quoteName, quoteText } from './sql.js';
import { inputOf, type InsertColumn } from './table-fields.js';
import type { ViewWatch } from './views.js';

/** Refused rows of one batch by their number, from 0 over all entries. */
export type RefusedRows = ReadonlyMap<number, Refusal>;

/** What dead letters of rows say besides the rows. */
export interface DeadLetterContext {
  readonly pipeline: string;
  /** The table that refused them. */
  readonly table: string;
  /** `EventType.type` of the rows. */
  readonly type: string;
  readonly columns: readonly InsertColumn[];
  readonly views: ViewWatch;
  readonly limit: BodyLimit;
}

/** Rows of one insert: the statement, which names each of them, has to stay shorter than a URL may be. */
const MAX_ROWS = 10_000;
/** What is known of every event goes from the row into the columns of the same names. */
const STAMPS = ['received_at', 'agent_spki', 'agent_host', 'source_ip', 'ingest_batch'];

type RefusedRow = readonly [row: number, refusal: Refusal];

/**
 * Puts rows of the entries into the dead letters, as JSON. Repeated with the same rows and token it stores nothing more. What
 * is too large to be sent at once goes entry by entry.
 * @throws as `runInsert`
 */
export async function storeLetters(
  connection: Connection,
  context: DeadLetterContext,
  entries: readonly EncodedEntry[],
  refused: RefusedRows,
  token: string,
  signal: AbortSignal,
): Promise<void> {
  const rows = [...refused].sort(([a], [b]) => a - b);
  const send = (some: readonly RefusedRow[]): Promise<void> =>
    sendLetters(connection, context, entries, some, token, signal);
  for (let from = 0; from < rows.length; from += MAX_ROWS) {
    const some = rows.slice(from, from + MAX_ROWS);
    try {
      await send(some);
    } catch (error) {
      const byEntry = isTooLarge(error) ? groupByEntry(entries, some) : [];
      if (byEntry.length < 2) throw error;
      for (const { rows: ofEntry } of byEntry) await send(ofEntry);
    }
  }
}

/** Sends the entries that hold the rows, and no others; the server counts the rows over what it gets. */
async function sendLetters(
  connection: Connection,
  context: DeadLetterContext,
  entries: readonly EncodedEntry[],
  rows: readonly RefusedRow[],
  token: string,
  signal: AbortSignal,
): Promise<void> {
  const groups = groupByEntry(entries, rows);
  let sent = 0;
  const counted: RefusedRow[] = [];
  for (const { entry, first, rows: ofEntry } of groups) {
    for (const [row, refusal] of ofEntry) counted.push([row - first + sent, refusal]);
    sent += entry.rows;
  }
  const blocks = {
    table: deadLetters.name,
    views: context.views,
    limit: context.limit,
    entries: groups.map(({ entry }) => entry),
    token: `${token}#refused-${rows[0]?.[0] ?? 0}-${rows.at(-1)?.[0] ?? 0}-${rows.length}`,
    rows: rows.length,
  };
  await sendBlocks(connection, statement(connection, context, counted), blocks, CONVERTED, signal);
}

interface EntryRows {
  readonly entry: EncodedEntry;
  /** Its first row, over the whole batch. */
  readonly first: number;
  readonly rows: readonly RefusedRow[];
}

/** The entries that hold the rows, which rise. */
function groupByEntry(entries: readonly EncodedEntry[], rows: readonly RefusedRow[]): EntryRows[] {
  let first = 0;
  return entries.flatMap((entry) => {
    const begin = first;
    first += entry.rows;
    const ofEntry = rows.filter(([row]) => row >= begin && row < first);
    return ofEntry.length === 0 ? [] : [{ entry, first: begin, rows: ofEntry }];
  });
}

/** ClickHouse picks the rows out of the blocks and writes them as JSON: the gateway has no decoder for its blocks. */
function statement(
  { endpoint }: Connection,
  { pipeline, table, type, columns }: DeadLetterContext,
  rows: readonly (readonly [number, Refusal])[],
): string {
  const kinds = distinct(rows.map(([, refusal]) => refusal));
  const kindOf = rows.map(([, refusal]) => kinds.findIndex((kind) => same(kind, refusal)) + 1);
  const list = (values: readonly (string | number)[]): string => `[${values.join(',')}]`;
  const texts = (key: keyof Refusal): string => `${list(kinds.map((kind) => quoteText(kind[key])))}[kind]`;
  const values = {
    pipeline: quoteText(pipeline),
    stage: quoteText('sink'),
    code: texts('code'),
    field: texts('field'),
    message: texts('message'),
    raw: `formatRowNoNewline('JSONEachRow', ${columnList(columns.map(({ name }) => name))})`,
    raw_encoding: quoteText('row'),
    destination: quoteText(table),
    event_type: quoteText(type),
    ...Object.fromEntries(STAMPS.map((name) => [name, quoteName(name)])),
  };
  const into = `${quoteName(endpoint.database)}.${quoteName(deadLetters.name)}`;
  const numbers = rows.map(([row]) => row);
  return `INSERT INTO ${into} (${columnList(Object.keys(values))}) WITH rowNumberInAllBlocks() AS row_number,
transform(row_number, ${list(numbers)}, ${list(kindOf)}, 0) AS kind
SELECT ${Object.values(values).join(', ')} FROM ${inputOf(columns)} WHERE row_number IN (${numbers.join(',')})`;
}

function distinct(refusals: readonly Refusal[]): Refusal[] {
  return refusals.filter((refusal, index) => refusals.findIndex((other) => same(other, refusal)) === index);
}

function same(a: Refusal, b: Refusal): boolean {
  return a.code === b.code && a.field === b.field && a.message === b.message;
}
