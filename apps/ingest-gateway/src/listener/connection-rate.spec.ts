import { describe, expect, it } from '@jest/globals';
import { ConnectionRate } from './connection-rate.js';

describe('ConnectionRate', () => {
  it('gives each address a burst, then its rate', () => {
    let now = 0;
    const rate = new ConnectionRate({ perSecond: 10, burst: 3, addresses: 100 }, () => now);
    const taken = (address: string, count: number): number =>
      Array.from({ length: count }, () => rate.take(address)).filter(Boolean).length;
    expect([taken('a', 5), taken('b', 5)]).toEqual([3, 3]);
    now = 100;
    expect(taken('a', 5)).toBe(1);
    now = 60_000;
    expect(taken('a', 5)).toBe(3);
  });

  it('remembers a limited number of addresses', () => {
    const rate = new ConnectionRate({ perSecond: 1, burst: 1, addresses: 2 }, () => 0);
    expect(['a', 'b', 'c'].map((address) => rate.take(address))).toEqual([true, true, true]);
    expect(rate.take('c')).toBe(false);
    expect(rate.take('a')).toBe(true);
  });
});
