import { deadLetters, type EncodedEntry, type StoredEntry } from '@activity-gateway/pipeline/api';
import type { Connection } from './clients.js';
import { askRows } from './exchange.js';
import { columnList, quoteName, quoteText } from './sql.js';
import type { InsertColumn } from './table-fields.js';

/** More ids than this are asked for by their range. */
const MAX_LISTED_IDS = 500;
const NO_CODES: ReadonlyMap<string, number> = new Map();

interface CountRow {
  readonly id: string;
  readonly code: string;
  readonly rows: string;
}

/**
 * What of each entry is in the table, and in the dead letters as rows that the table refused.
 * @throws as `askRows`
 */
export async function lookUp(
  connection: Connection,
  table: string,
  entries: readonly EncodedEntry[],
  signal: AbortSignal,
): Promise<StoredEntry[]> {
  const condition = idCondition(entries);
  const database = quoteName(connection.endpoint.database);
  const query = `SELECT ingest_batch AS id, '' AS code, toString(count()) AS rows FROM ${database}.${quoteName(table)} WHERE ${condition} GROUP BY id
UNION ALL SELECT ingest_batch AS id, code, toString(count()) AS rows FROM ${database}.${quoteName(deadLetters.name)}
WHERE ${condition} AND destination = ${quoteText(table)} GROUP BY id, code`;
  const found = new Map<string, { rows: number; deadLettered: Map<string, number> }>();
  for (const { id, code, rows } of await askRows<CountRow>(connection, query, signal)) {
    const entry = found.get(id) ?? { rows: 0, deadLettered: new Map() };
    if (code === '') entry.rows += Number(rows);
    else entry.deadLettered.set(code, Number(rows));
    found.set(id, entry);
  }
  return entries.map(({ id = '' }) => found.get(id) ?? { rows: 0, deadLettered: NO_CODES });
}

/** The rows of an entry that are accounted for. */
export function accounted({ rows, deadLettered }: StoredEntry): number {
  return [...deadLettered.values()].reduce((sum, count) => sum + count, rows);
}

/** Dead letters of all entries, by code. */
export function sumCodes(found: readonly StoredEntry[]): Map<string, number> {
  const codes = new Map<string, number>();
  for (const { deadLettered } of found) {
    for (const [code, rows] of deadLettered) codes.set(code, (codes.get(code) ?? 0) + rows);
  }
  return codes;
}

/** Holds for rows of entries that are not in the table; the columns have the table's types. */
export function notStored(
  { endpoint }: Connection,
  table: string,
  columns: readonly InsertColumn[],
  entries: readonly EncodedEntry[],
): string {
  const row = `formatRowNoNewline('JSONEachRow', ${columnList(columns.map(({ name }) => name))})`;
  const from = `${quoteName(endpoint.database)}.${quoteName(table)}`;
  return `${row} NOT IN (SELECT ${row} FROM ${from} WHERE ${idCondition(entries)})`;
}

/** Ids sort as text in the order they were given. */
function idCondition(entries: readonly EncodedEntry[]): string {
  const ids = [...new Set(entries.map(({ id = '' }) => id))].sort();
  if (ids.length <= MAX_LISTED_IDS) return `ingest_batch IN (${ids.map(quoteText).join(', ')})`;
  return `ingest_batch BETWEEN ${quoteText(ids[0] ?? '')} AND ${quoteText(ids.at(-1) ?? '')}`;
}
