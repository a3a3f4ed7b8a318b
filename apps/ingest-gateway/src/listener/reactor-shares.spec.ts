import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ReactorSettings } from '../reactor/messages.js';
import { dealCredit, demandOf, withCredit } from './reactor-shares.js';

const quiet = { held: 0, waiting: false };
const flooded = { held: 9_999, waiting: true };

describe('dealCredit', () => {
  it.each([1, 2, 3, 7, 32])('deals equally among %d reactors that need the same', (count) => {
    for (const demand of [quiet, flooded]) {
      const parts = dealCredit(
        10_000,
        Array.from({ length: count }, () => demand),
      );
      expect(parts.reduce((sum, part) => sum + part, 0)).toBe(10_000);
      expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
    }
  });

  it('gives those that wait what the others have no use for', () => {
    expect(dealCredit(10_000, [flooded, quiet])).toEqual([8_750, 1_250]);
    expect(dealCredit(10_000, [flooded, quiet, quiet, flooded])).toEqual([4_375, 625, 625, 4_375]);
    expect(dealCredit(10_000, [flooded, { held: 3_000, waiting: false }])).toEqual([7_000, 3_000]);
  });

  it('leaves one that does not wait no more than its equal share', () => {
    expect(dealCredit(10_000, [flooded, { held: 8_000, waiting: false }])).toEqual([5_000, 5_000]);
  });

  it('never deals out more than there is, and something to everybody', () => {
    const demand = fc.record({ held: fc.nat(100_000), waiting: fc.boolean() });
    fc.assert(
      fc.property(
        fc.integer({ min: 1_000, max: 500_000 }),
        fc.array(demand, { minLength: 1, maxLength: 32 }),
        (total, demands) => {
          const parts = dealCredit(total, demands);
          expect(parts.reduce((sum, part) => sum + part, 0)).toBe(total);
          expect(Math.min(...parts)).toBeGreaterThanOrEqual(1);
        },
      ),
    );
  });
});

describe('demandOf', () => {
  it('adds up the pipelines of a reactor', () => {
    const pipeline = (inFlight: number, backPressure: boolean): object => ({
      counts: { inFlight },
      queue: { rows: 2 },
      backPressure,
    });
    const status = { pipelines: [pipeline(3, false), pipeline(4, true)], connections: 1, rssBytes: 1 };
    expect(demandOf(status as never)).toEqual({ held: 7, waiting: true });
    expect(demandOf(undefined)).toEqual(quiet);
  });

  it('leaves out what is safe in the spool', () => {
    const pipelines = [
      { counts: { inFlight: 10_005 }, queue: { rows: 10_000, spool: {} }, backPressure: false },
      { counts: { inFlight: 1 }, queue: { rows: 2, spool: {} }, backPressure: false },
    ];
    expect(demandOf({ pipelines } as never)).toEqual({ held: 5, waiting: false });
  });
});

it('shares the bytes as it shares the events', () => {
  const total = {
    connection: {},
    flow: { bufferMaxEvents: 1_000, sinkWriters: 8 },
  } as unknown as ReactorSettings;
  expect(withCredit(total, 250).flow).toEqual({
    bufferMaxEvents: 250,
    bufferBytesShare: 0.25,
    sinkWriters: 8,
  });
});
