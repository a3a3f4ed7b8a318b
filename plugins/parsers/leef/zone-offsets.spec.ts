import { describe, expect, it } from '@jest/globals';
import { ZoneOffsets } from './zone-offsets.js';

const HOUR_MS = 3_600_000;

describe('ZoneOffsets', () => {
  const berlin = new ZoneOffsets('Europe/Berlin');

  it('follows the changes of a zone to the quarter of an hour', () => {
    const change = Date.UTC(2026, 2, 29, 1);
    expect(berlin.offsetAt(change - 1)).toBe(HOUR_MS);
    expect(berlin.offsetAt(change)).toBe(2 * HOUR_MS);
    expect(new ZoneOffsets('Asia/Kathmandu').offsetAt(change)).toBe(5.75 * HOUR_MS);
    expect(new ZoneOffsets('America/St_Johns').offsetAt(Date.UTC(2026, 6, 1))).toBe(-2.5 * HOUR_MS);
  });

  it.each([
    ['before the clocks go forward', Date.UTC(2026, 2, 29, 1, 59), Date.UTC(2026, 2, 29, 0, 59)],
    ['in the hour that is skipped', Date.UTC(2026, 2, 29, 2, 30), Date.UTC(2026, 2, 29, 1, 30)],
    ['after they went forward', Date.UTC(2026, 2, 29, 3), Date.UTC(2026, 2, 29, 1)],
    [
      'in the hour that comes twice, its first time',
      Date.UTC(2026, 9, 25, 2, 30),
      Date.UTC(2026, 9, 25, 0, 30),
    ],
    ['after the clocks went back', Date.UTC(2026, 9, 25, 3), Date.UTC(2026, 9, 25, 2)],
  ])('reads a local time %s', (_when, local, expected) => expect(berlin.toUtc(local)).toBe(expected));

  it('agrees with itself over a year of hours', () => {
    const sydney = new ZoneOffsets('Australia/Sydney');
    for (let instant = Date.UTC(2026, 0, 1); instant < Date.UTC(2027, 0, 1); instant += 7 * HOUR_MS) {
      expect(sydney.toUtc(instant + sydney.offsetAt(instant))).toBe(instant);
    }
  });
});
