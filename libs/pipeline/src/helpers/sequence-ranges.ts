import type { SequenceRange } from '../api/index.js';

/** All numbers of some ranges: rising, joined where they touch or overlap. */
export function mergeRanges(ranges: readonly SequenceRange[]): SequenceRange[] {
  const joined: { first: number; last: number }[] = [];
  for (const { first, last } of [...ranges].sort((a, b) => a.first - b.first)) {
    const before = joined.at(-1);
    if (before !== undefined && first <= before.last + 1) before.last = Math.max(before.last, last);
    else joined.push({ first, last });
  }
  return joined;
}

/**
 * Cuts a range where it enters and leaves others.
 * @param known rising, with a gap between each two, as `mergeRanges` gives them
 * @returns the pieces in order, together the whole range
 */
export function splitRange(
  whole: SequenceRange,
  known: readonly SequenceRange[],
): (SequenceRange & { readonly known: boolean })[] {
  const pieces: (SequenceRange & { readonly known: boolean })[] = [];
  let at = whole.first;
  for (const { first, last } of known) {
    if (last < at) continue;
    if (first > whole.last) break;
    if (first > at) pieces.push({ first: at, last: first - 1, known: false });
    const end = Math.min(last, whole.last);
    pieces.push({ first: Math.max(first, at), last: end, known: true });
    at = end + 1;
  }
  if (at <= whole.last) pieces.push({ first: at, last: whole.last, known: false });
  return pieces;
}

/** The last number up to which all are known, from `from` on; `from - 1` when `from` itself is not. */
export function knownThrough(from: number, known: readonly SequenceRange[]): number {
  for (const { first, last } of known) {
    if (first <= from && last >= from) return last;
  }
  return from - 1;
}
