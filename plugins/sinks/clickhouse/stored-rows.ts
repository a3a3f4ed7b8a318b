import { deadLetters, type EncodedEntry } from '@activity-gateway/pipeline/api';
import type { Connection } from './clients.js';
import { askRows } from './exchange.js';
import { columnList, quoteName, quoteText } from './sql.js';
import type { InsertColumn } from './table-fields.js';

/** More ids than this are asked for by their range. */
const MAX_LISTED_IDS = 500;
const NOTHING: StoredEntry = { rows: 0, deadLettered: 0 };

/** What ClickHouse holds of one entry. */
export interface StoredEntry {
  /** Rows in its table. */
  readonly rows: number;
  /** Rows in the dead letters under its id: versions before 0.2 wrote those that the table refused. */
  readonly deadLettered: number;
}

interface CountRow {
  readonly id: string;
  readonly kind: keyof StoredEntry;
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
  const query = `SELECT ingest_batch AS id, 'rows' AS kind, toString(count()) AS rows FROM ${database}.${quoteName(table)} WHERE ${condition} GROUP BY id
UNION ALL SELECT ingest_batch AS id, 'deadLettered' AS kind, toString(count()) AS rows FROM ${database}.${quoteName(deadLetters.name)}
WHERE ${condition} AND destination = ${quoteText(table)} GROUP BY id`;
  const found = new Map<string, StoredEntry>();
  for (const { id, kind, rows } of await askRows<CountRow>(connection, query, signal)) {
    found.set(id, { ...(found.get(id) ?? NOTHING), [kind]: Number(rows) });
  }
  return entries.map(({ id = '' }) => found.get(id) ?? NOTHING);
}

/** The rows of an entry that are accounted for. */
export function accounted({ rows, deadLettered }: StoredEntry): number {
  return rows + deadLettered;
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
