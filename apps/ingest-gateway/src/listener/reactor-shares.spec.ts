import { describe, expect, it } from '@jest/globals';
import type { ReactorSettings } from '../reactor/messages.js';
import { shareOf } from './reactor-shares.js';

const total = {
  connection: { maxMessageBytes: 1 },
  flow: { batchSize: 100, bufferMaxEvents: 10_000, sinkBatchSize: 5_000, sinkWriters: 8 },
} as unknown as ReactorSettings;

const sum = (numbers: readonly number[]): number => numbers.reduce((all, each) => all + each, 0);

describe('shareOf', () => {
  it('gives one reactor everything', () => {
    expect(shareOf(total, 0, 1)).toEqual({ ...total, flow: { ...total.flow, bufferBytesShare: 1 } });
  });

  it.each([2, 3, 5, 7, 8])('adds up to the whole over %d reactors', (count) => {
    const flows = Array.from({ length: count }, (_, position) => shareOf(total, position, count).flow);
    expect(sum(flows.map((flow) => flow.bufferMaxEvents))).toBe(10_000);
    expect(sum(flows.map((flow) => flow.sinkWriters))).toBe(8);
    expect(sum(flows.map((flow) => flow.bufferBytesShare ?? 0))).toBeCloseTo(1);
    expect(flows.map((flow) => [flow.batchSize, flow.sinkBatchSize])).toEqual(
      Array.from({ length: count }, () => [100, 5_000]),
    );
  });

  it('leaves every reactor a writer when there are more of them than writers', () => {
    const writers = Array.from(
      { length: 32 },
      (_, position) => shareOf(total, position, 32).flow.sinkWriters,
    );
    expect(new Set(writers)).toEqual(new Set([1]));
  });
});
