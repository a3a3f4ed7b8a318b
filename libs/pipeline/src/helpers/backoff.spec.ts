import { describe, expect, it } from '@jest/globals';
import { Backoff } from './backoff.js';

describe('Backoff', () => {
  it('grows by its factor up to its limit', () => {
    const backoff = new Backoff({ initialMs: 100, maxMs: 1000, jitter: 0 });
    expect([1, 2, 3, 4, 5, 6].map(() => backoff.next())).toEqual([100, 200, 400, 800, 1000, 1000]);
    expect(backoff.attempts).toBe(6);
  });

  it('begins again after a reset', () => {
    const backoff = new Backoff({ initialMs: 10, maxMs: 1000, factor: 10, jitter: 0 });
    backoff.next();
    expect(backoff.next()).toBe(100);
    backoff.reset();
    expect(backoff.attempts).toBe(0);
    expect(backoff.next()).toBe(10);
  });

  it('takes at most its random share off', () => {
    const backoff = new Backoff({ initialMs: 1000, maxMs: 1000, jitter: 0.3 });
    const waits = Array.from({ length: 500 }, () => backoff.next());
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(700);
    expect(Math.max(...waits)).toBeLessThanOrEqual(1000);
    expect(new Set(waits).size).toBeGreaterThan(50);
  });

  it('stays at its limit however often it is asked', () => {
    const backoff = new Backoff({ initialMs: 1, maxMs: 60_000, jitter: 0 });
    for (let attempt = 0; attempt < 5000; attempt += 1) backoff.next();
    expect(backoff.next()).toBe(60_000);
  });
});
