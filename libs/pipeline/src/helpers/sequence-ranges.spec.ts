import { describe, expect, it } from '@jest/globals';
import { splitRange, mergeRanges, knownThrough } from './sequence-ranges.js';

const s = (first: number, last: number): { first: number; last: number } => ({ first, last });

describe('ranges', () => {
  it('joins what touches or overlaps, in any order', () => {
    expect(mergeRanges([s(7, 9), s(1, 2), s(3, 3), s(8, 12), s(20, 20)])).toEqual([
      s(1, 3),
      s(7, 12),
      s(20, 20),
    ]);
    expect(mergeRanges([])).toEqual([]);
  });

  it('cuts a range into known and unknown pieces', () => {
    const known = [s(1, 3), s(7, 12), s(20, 20)];
    expect(splitRange(s(2, 21), known)).toEqual([
      { first: 2, last: 3, known: true },
      { first: 4, last: 6, known: false },
      { first: 7, last: 12, known: true },
      { first: 13, last: 19, known: false },
      { first: 20, last: 20, known: true },
      { first: 21, last: 21, known: false },
    ]);
    expect(splitRange(s(8, 9), known)).toEqual([{ first: 8, last: 9, known: true }]);
    expect(splitRange(s(13, 14), known)).toEqual([{ first: 13, last: 14, known: false }]);
  });

  it('agrees with a number by number look at random ranges', () => {
    let seed = 11;
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let round = 0; round < 500; round += 1) {
      const some = Array.from({ length: random(6) }, () => random(60)).map((at) => s(at, at + random(9)));
      const known = mergeRanges(some);
      const has = (n: number): boolean => some.some(({ first, last }) => first <= n && n <= last);
      const first = random(60);
      const whole = s(first, first + random(20));
      const pieces = splitRange(whole, known);
      const listed = pieces.flatMap((piece) =>
        Array.from({ length: piece.last - piece.first + 1 }, (_, i) => [piece.first + i, piece.known]),
      );
      const wanted = Array.from({ length: whole.last - first + 1 }, (_, i) => [first + i, has(first + i)]);
      expect(listed).toEqual(wanted);
      let through = first - 1;
      while (has(through + 1)) through += 1;
      expect(knownThrough(first, known)).toBe(through);
    }
  });
});
