import { describe, expect, it } from '@jest/globals';
import { KeyedBuckets } from './keyed-buckets.js';
import { TokenBucket } from './token-bucket.js';

const RATE = { perSecond: 2, burst: 3 };

describe('TokenBucket', () => {
  it('lets a burst through, then the rate, and says how long to wait', () => {
    let now = 0;
    const bucket = new TokenBucket(RATE, () => now);
    expect([bucket.take(), bucket.take(), bucket.take()]).toEqual([0, 0, 0]);
    expect(bucket.take()).toBe(0.5);
    now += 250;
    expect(bucket.take()).toBe(0.25);
    now += 250;
    expect(bucket.take()).toBe(0);
    now += 60_000;
    expect([bucket.take(3), bucket.take()]).toEqual([0, 0.5]);
  });

  it('goes into a bounded debt', () => {
    let now = 0;
    const bucket = new TokenBucket(RATE, () => now);
    bucket.charge(100);
    expect(bucket.take()).toBe(2);
    now += 2_000;
    expect(bucket.take()).toBe(0);
  });

  it('takes back what was not used, up to its burst', () => {
    const bucket = new TokenBucket(RATE, () => 0);
    bucket.take(3);
    bucket.giveBack();
    expect([bucket.take(), bucket.take()]).toEqual([0, 0.5]);
    bucket.giveBack(100);
    expect([bucket.take(3), bucket.take()]).toEqual([0, 0.5]);
  });

  it('is not emptied by a clock that goes back', () => {
    let now = 10_000;
    const bucket = new TokenBucket(RATE, () => now);
    now = 0;
    expect(bucket.take(3)).toBe(0);
  });
});

describe('KeyedBuckets', () => {
  it('keeps keys apart, and forgets the one not used for longest', () => {
    const buckets = new KeyedBuckets({ perSecond: 1, burst: 1 }, 2, () => 0);
    expect([buckets.of('a').take(), buckets.of('b').take()]).toEqual([0, 0]);
    expect(buckets.of('a').take()).toBe(1);
    buckets.of('c');
    expect(buckets.of('a').take()).toBe(1);
    expect(buckets.of('b').take()).toBe(0);
  });
});
