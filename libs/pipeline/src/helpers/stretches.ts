import type { Stretch } from '../api/index.js';

/** All numbers of some stretches: rising, joined where they touch or overlap. */
export function joinStretches(stretches: readonly Stretch[]): Stretch[] {
  const joined: { first: number; last: number }[] = [];
  for (const { first, last } of [...stretches].sort((a, b) => a.first - b.first)) {
    const before = joined.at(-1);
    if (before !== undefined && first <= before.last + 1) before.last = Math.max(before.last, last);
    else joined.push({ first, last });
  }
  return joined;
}

/**
 * Cuts a stretch where it enters and leaves others.
 * @param known rising, with a gap between each two, as `joinStretches` gives them
 * @returns the pieces in order, together the whole stretch
 */
export function cutStretch(
  whole: Stretch,
  known: readonly Stretch[],
): (Stretch & { readonly known: boolean })[] {
  const pieces: (Stretch & { readonly known: boolean })[] = [];
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
export function knownThrough(from: number, known: readonly Stretch[]): number {
  for (const { first, last } of known) {
    if (first <= from && last >= from) return last;
  }
  return from - 1;
}
