import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { REPEAT_LIMIT, REPEAT_WINDOW_MS, RepeatLimiter } from './repeat-limiter.js';

describe('RepeatLimiter', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  const admitTimes = (limiter: RepeatLimiter, times: number, report: (n: number) => void): number => {
    let admitted = 0;
    for (let i = 0; i < times; i += 1) if (limiter.admit('kind', report).admitted) admitted += 1;
    return admitted;
  };

  it('reports at the end of the window what no further line tells', () => {
    const reported: number[] = [];
    const limiter = new RepeatLimiter();
    expect(admitTimes(limiter, REPEAT_LIMIT + 3, (n) => reported.push(n))).toBe(REPEAT_LIMIT);
    jest.advanceTimersByTime(REPEAT_WINDOW_MS - 1);
    expect(reported).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(reported).toEqual([3]);
    expect(limiter.admit('kind', () => undefined)).toEqual({ admitted: true, suppressed: 0 });
  });

  it('makes no timer while nothing is held back', () => {
    admitTimes(new RepeatLimiter(), REPEAT_LIMIT, () => undefined);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('forgets kinds when there are too many, and reports what they held back', () => {
    const reported: number[] = [];
    const limiter = new RepeatLimiter();
    admitTimes(limiter, REPEAT_LIMIT + 1, (n) => reported.push(n));
    for (let i = 0; i < 1_000; i += 1) limiter.admit(`kind ${i}`, () => undefined);
    expect(reported).toEqual([1]);
    expect(jest.getTimerCount()).toBe(0);
  });
});
