import { describe, expect, it } from '@jest/globals';
import { AckTracker } from './ack-tracker.js';

const DURABLE = { delivered: 1, deadLettered: 0, dropped: 0 };
const REJECTED = { delivered: 0, deadLettered: 1, dropped: 0 };
const LOST = { delivered: 0, deadLettered: 0, dropped: 1, reason: 'x' };

describe('AckTracker', () => {
  it('counts only what is durable without a gap, in whatever order batches settle', () => {
    const tracker = new AckTracker();
    const [first, second, third] = [tracker.follow(10), tracker.follow(1), tracker.follow(5)];
    third(DURABLE);
    expect([tracker.durable, tracker.open, tracker.complete]).toEqual([0, 2, false]);
    first(DURABLE);
    expect(tracker.durable).toBe(10);
    second(REJECTED);
    expect([tracker.durable, tracker.open, tracker.complete]).toEqual([16, 0, true]);
  });

  it('agrees with a plain model over random orders', () => {
    let seed = 7;
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let round = 0; round < 200; round += 1) {
      const tracker = new AckTracker();
      const sizes = Array.from({ length: 1 + random(300) }, () => 1 + random(9));
      const settle = sizes.map((size) => tracker.follow(size));
      const done = sizes.map(() => false);
      const order = sizes.map((_, index) => ({ index, key: random(1_000) })).sort((a, b) => a.key - b.key);
      for (const { index } of order) {
        settle[index]!(DURABLE);
        done[index] = true;
        const gap = done.indexOf(false);
        const prefix = sizes.slice(0, gap === -1 ? sizes.length : gap).reduce((sum, size) => sum + size, 0);
        expect(tracker.durable).toBe(prefix);
      }
    }
  });

  it('never counts past a dropped message', () => {
    const tracker = new AckTracker();
    const [first, second, third] = [tracker.follow(2), tracker.follow(2), tracker.follow(2)];
    second(LOST);
    expect([tracker.lost, tracker.complete]).toEqual([true, false]);
    third(DURABLE);
    first(DURABLE);
    expect([tracker.durable, tracker.complete, tracker.open]).toEqual([2, true, 0]);
    tracker.skip(5);
    expect(tracker.durable).toBe(2);
  });

  it('counts what is skipped in its place', () => {
    const tracker = new AckTracker();
    tracker.skip(3);
    const after = tracker.follow(1);
    tracker.skip(4);
    expect(tracker.durable).toBe(3);
    after(DURABLE);
    expect(tracker.durable).toBe(8);
  });
});
