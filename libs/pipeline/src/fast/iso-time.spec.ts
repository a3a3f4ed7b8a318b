import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseEventTime, utcMidnight } from './iso-time.js';

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

describe('parseEventTime', () => {
  it.each([
    ['2026-11-20T09:15:02.187Z', Date.UTC(2026, 10, 20, 9, 15, 2, 187)],
    ['2026-11-20T09:15:02', Date.UTC(2026, 10, 20, 9, 15, 2)],
    ['2026-11-20 09:15:02', Date.UTC(2026, 10, 20, 9, 15, 2)],
    ['2026-11-20t09:15:02z', Date.UTC(2026, 10, 20, 9, 15, 2)],
    ['2026-11-20T09:15:02.1', Date.UTC(2026, 10, 20, 9, 15, 2, 100)],
    ['2026-11-20T09:15:02.12Z', Date.UTC(2026, 10, 20, 9, 15, 2, 120)],
    ['2026-11-20T09:15:02.1879999Z', Date.UTC(2026, 10, 20, 9, 15, 2, 187)],
    ['2026-11-20T09:15:02.187999999Z', Date.UTC(2026, 10, 20, 9, 15, 2, 187)],
    ['2026-11-20T09:15:02+02:00', Date.UTC(2026, 10, 20, 7, 15, 2)],
    ['2026-11-20T09:15:02.5-0530', Date.UTC(2026, 10, 20, 14, 45, 2, 500)],
    ['2026-11-20T00:15:02+02', Date.UTC(2026, 10, 19, 22, 15, 2)],
    ['2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
    ['1969-12-31T23:59:59.999Z', -1],
    ['0001-01-01T00:00:00Z', -62_135_596_800_000],
  ])('reads %s', (text, ms) => {
    expect(parseEventTime(text)).toBe(ms);
  });

  it.each([
    ...[
      '',
      'now',
      '2026-11-20',
      '2026-11-20T09:15',
      '20261120T091502Z',
      '1763630102187',
      '11/20/2026 09:15:02 AM',
    ],
    ...[
      '2026-13-01T00:00:00Z',
      '2026-00-01T00:00:00Z',
      '2026-02-30T00:00:00Z',
      '2026-02-29T00:00:00Z',
      '2026-11-00T00:00:00Z',
    ],
    ...[
      '2026-11-20T24:00:00Z',
      '2026-11-20T09:60:00Z',
      '2026-11-20T09:15:60Z',
      '2026-11-20T0a:15:02Z',
      '2x26-11-20T09:15:02Z',
    ],
    ...[
      '2026-11-20T09:15:02.Z',
      '2026-11-20T09:15:02.1234567890Z',
      '2026-11-20T09:15:02,187Z',
      '2026-11-20T09:15:02ZZ',
    ],
    ...[
      '2026-11-20T09:15:02+2',
      '2026-11-20T09:15:02+02:',
      '2026-11-20T09:15:02+02:0',
      '2026-11-20T09:15:02+02:00Z',
    ],
    ...[
      '2026-11-20T09:15:02+24:00',
      '2026-11-20T09:15:02+02:60',
      '2026-11-20T09:15:02+',
      ' 2026-11-20T09:15:02Z',
    ],
    ...['2026-11-20T09:15:02 UTC', '2026-11-20X09:15:02Z', '٢026-11-20T09:15:02Z'],
  ])('takes %j for no time', (text) => {
    expect(parseEventTime(text)).toBeNaN();
  });

  it('agrees with Date on every time that Date writes', () => {
    fc.assert(
      fc.property(
        fc.date({
          min: new Date('0000-01-01T00:00:00Z'),
          max: new Date('9999-12-31T23:59:59.999Z'),
          noInvalidDate: true,
        }),
        (date) => {
          expect(parseEventTime(date.toISOString())).toBe(date.getTime());
        },
      ),
    );
  });

  it('answers any text with a whole number or NaN', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseEventTime(text)).toBeNaN();
        const dressed = parseEventTime(`2026-11-20T09:15:02${text}`);
        expect(Number.isNaN(dressed) || Number.isInteger(dressed)).toBe(true);
      }),
    );
  });
});
