import type { PartialWriteError } from '@activity-gateway/pipeline/api';

/** Some rows of a batch that are inserted together. */
export interface RowRange {
  /** First row, from 0 over the whole batch. */
  readonly from: number;
  /** Row behind the last one. */
  readonly to: number;
  /** Only partitions whose hash leaves `part` when it is divided by `parts`; 1 = all of them. */
  readonly parts: number;
  readonly part: number;
}

/** Up to this many refused rows of a batch are found by the row that ClickHouse names. */
const FOUND_BY_NAME = 16;
/** Pieces of at most so many rows are cheap to send again, so that a named row always helps. */
const SMALL_PIECE = 64;

/** All rows of a batch. */
export function wholeBatch(rows: number): RowRange {
  return { from: 0, to: rows, parts: 1, part: 0 };
}

/** Token of a piece: always the same for the same piece of the same batch, and of no other one. */
export function rowRangeToken(token: string, { from, to, parts, part }: RowRange): string {
  return `${token}#${from}-${to}${parts === 1 ? '' : `/${part}of${parts}`}`;
}

/** The two sets of partitions that a piece's partitions fall into. */
export function splitPartitions(rowRange: RowRange): RowRange[] {
  const parts = rowRange.parts * 2;
  return [
    { ...rowRange, parts, part: rowRange.part },
    { ...rowRange, parts, part: rowRange.part + rowRange.parts },
  ];
}

/**
 * The halves of a piece of at least two rows, between two entries where it has several: half of an entry is sent as a whole
 * entry, and two rows that are equal in every column are told apart by their entries.
 * @param ends rows behind the last one of each entry of the batch, rising
 */
export function splitRows(rowRange: RowRange, ends: readonly number[]): RowRange[] {
  const half = rowRange.from + Math.ceil((rowRange.to - rowRange.from) / 2);
  const between = ends.filter((end) => end > rowRange.from && end < rowRange.to);
  const distance = (end: number): number => Math.abs(end - half);
  const nearest = between.reduce(
    (best, end) => (distance(end) < distance(best) ? end : best),
    between[0] ?? half,
  );
  return [
    { ...rowRange, to: nearest },
    { ...rowRange, from: nearest },
  ];
}

/** What a refusal leaves to be done of a piece. */
export interface RemainingRanges {
  /** The row that is to blame, where that is known now. */
  readonly refused?: number;
  readonly rowRanges: readonly RowRange[];
}

/**
 * What is to be done after ClickHouse has refused a piece for one of its rows.
 * @param found    refused rows that are known already: where there are many, halving is faster than a step for each
 * @param filtered whether the insert left rows out, so that the row it names counts over others
 * @param ends     as in `splitRows`
 */
export function afterRejection(
  rowRange: RowRange,
  { rejected: [named] }: Pick<PartialWriteError, 'rejected'>,
  found: number,
  filtered: boolean,
  ends: readonly number[],
): RemainingRanges {
  const rows = rowRange.to - rowRange.from;
  if (rows === 1) return { refused: rowRange.from, rowRanges: [] };
  const helps = found < FOUND_BY_NAME || rows <= SMALL_PIECE;
  if (named === undefined || filtered || rowRange.parts > 1 || !helps || named >= rows) {
    return { rowRanges: splitRows(rowRange, ends) };
  }
  const refused = rowRange.from + named;
  const around = [
    { ...rowRange, to: refused },
    { ...rowRange, from: refused + 1 },
  ];
  return { refused, rowRanges: around.filter(({ from, to }) => to > from) };
}
