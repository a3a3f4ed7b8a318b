import { describe, expect, it } from '@jest/globals';
import { utcMidnight } from './utc-midnight.js';

/** What `Date` makes of it; NaN when it moves to another day. */
function byDate(year: number, month: number, day: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() : Number.NaN;
}

describe('utcMidnight', () => {
  it('agrees with Date on every day that there is, and on those there are not', () => {
    const wrong: number[][] = [];
    for (let year = 0; year <= 9999; year += year > 1890 && year < 2110 ? 1 : 37) {
      for (let month = 0; month <= 13; month += 1) {
        for (let day = 0; day <= 32; day += 1) {
          if (!Object.is(utcMidnight(year, month, day), byDate(year, month, day)))
            wrong.push([year, month, day]);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it('has no day for NaN', () => {
    expect(utcMidnight(Number.NaN, 1, 1)).toBeNaN();
    expect(utcMidnight(2026, Number.NaN, 1)).toBeNaN();
    expect(utcMidnight(2026, 1, Number.NaN)).toBeNaN();
  });
});
