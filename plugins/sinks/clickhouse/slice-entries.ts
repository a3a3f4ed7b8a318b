import type { EncodedEntry } from '@activity-gateway/pipeline/api';

/** The entries that hold a stretch of rows, and where in them it begins. */
export interface EntrySlice {
  readonly entries: readonly EncodedEntry[];
  /** Rows of the first entry before the stretch. */
  readonly offset: number;
}

/** Rows of all entries. */
export function rowsOf(entries: readonly EncodedEntry[]): number {
  return entries.reduce((sum, { rows }) => sum + rows, 0);
}

/** Leaves out entries without a row from `from` (inclusive) to `to` (exclusive): a small piece is a small body. */
export function sliceEntries(entries: readonly EncodedEntry[], from: number, to: number): EntrySlice {
  const kept: EncodedEntry[] = [];
  let offset = 0;
  let at = 0;
  for (const entry of entries) {
    const end = at + entry.rows;
    if (end > from && at < to) {
      if (kept.length === 0) offset = from - at;
      kept.push(entry);
    }
    at = end;
  }
  return { entries: kept, offset };
}
