import { describe, expect, it } from '@jest/globals';
import { createRecordingMetrics, numbers, testBatch } from '../testing/index.js';
import { PipelineCounters } from './counters.js';
import type { PendingBatch } from './pending-batch.js';
import { PipelineMeter } from './meter.js';
import type { Appended, OutcomeCounts } from './queue.js';
import { BatchTracker, type EventGroup } from './batch-tracker.js';

function make() {
  const counters = new PipelineCounters(new PipelineMeter(createRecordingMetrics(), 'test'));
  const released: PendingBatch[] = [];
  return {
    counters,
    released,
    tracker: new BatchTracker(counters, (pendingBatch) => released.push(pendingBatch)),
  };
}

function pending() {
  let safe = (): void => undefined;
  let lost = (): void => undefined;
  const appended: Appended = {
    accepted: Promise.resolve(),
    safe: new Promise((resolve, reject) => {
      safe = resolve;
      lost = () => reject(new Error('lost'));
    }),
  };
  return { appended, safe: () => safe(), lost: () => lost() };
}

const delivered = (pendingBatch: PendingBatch, count: number): EventGroup & OutcomeCounts => ({
  outcome: 'delivered',
  counts: new Map([['alpha_events', count]]),
  pendingCounts: [{ pendingBatch, count }],
});

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('BatchTracker', () => {
  it('settles when entries are safe, and counts when they are written', async () => {
    const { tracker, counters, released } = make();
    const batch = testBatch(numbers(0, 5));
    const pendingBatch = tracker.receive(batch);
    const entry = pending();
    tracker.follow(delivered(pendingBatch, 5), [entry.appended]);
    entry.safe();
    await expect(batch.settled).resolves.toEqual({ delivered: 5, deadLettered: 0, dropped: 0 });
    expect(released).toEqual([pendingBatch]);
    expect(counters.snapshot()).toMatchObject({ delivered: 0, inFlight: 5 });
    tracker.written(delivered(pendingBatch, 5), true);
    expect(counters.snapshot()).toMatchObject({ received: 5, delivered: 5, inFlight: 0 });
  });

  it('counts what an earlier run had received apart', () => {
    const { tracker, counters } = make();
    const pendingBatch = tracker.receive(testBatch([1]));
    tracker.written(delivered(pendingBatch, 7), false);
    tracker.lost(delivered(pendingBatch, 2), false);
    expect(counters.snapshot()).toMatchObject({ received: 1, delivered: 0, inFlight: 1, recovered: 7 });
  });

  it('counts as dropped what the queue has lost after it was safe', async () => {
    const { tracker, counters } = make();
    const batch = testBatch(numbers(0, 3));
    const pendingBatch = tracker.receive(batch);
    const entry = pending();
    tracker.follow(delivered(pendingBatch, 3), [entry.appended]);
    entry.safe();
    await batch.settled;
    tracker.lost(delivered(pendingBatch, 3), true);
    expect(counters.snapshot()).toMatchObject({ received: 3, dropped: 3, inFlight: 0 });
  });

  it('waits for everything that a unit was appended with', async () => {
    const { tracker, released } = make();
    const pendingBatch = tracker.receive(testBatch([1]));
    const entries = [pending(), pending()];
    tracker.follow(
      delivered(pendingBatch, 1),
      entries.map(({ appended }) => appended),
    );
    entries[0]!.safe();
    await tick();
    expect(released).toEqual([]);
    entries[1]!.safe();
    await tick();
    expect(released).toEqual([pendingBatch]);
  });

  it('drops what the queue loses', async () => {
    const { tracker, counters } = make();
    const batch = testBatch([1, 2]);
    const entry = pending();
    tracker.follow(delivered(tracker.receive(batch), 2), [entry.appended]);
    entry.lost();
    await expect(batch.settled).resolves.toEqual({
      delivered: 0,
      deadLettered: 0,
      dropped: 2,
      reason: 'lost by the queue',
    });
    expect(counters.snapshot()).toMatchObject({ received: 2, dropped: 2, inFlight: 0 });
  });

  it('gives up what is open, and takes no notice of what comes later', async () => {
    const { tracker, counters, released } = make();
    const batch = testBatch(numbers(0, 5));
    const pendingBatch = tracker.receive(batch);
    const [early, late] = [pending(), pending()];
    tracker.follow(delivered(pendingBatch, 2), [early.appended]);
    tracker.follow(delivered(pendingBatch, 3), [late.appended]);
    early.safe();
    tracker.written(delivered(pendingBatch, 2), true);
    await tick();
    expect(tracker.abandon('shutdown deadline')).toBe(3);
    late.safe();
    tracker.written(delivered(pendingBatch, 3), true);
    await tick();
    await expect(batch.settled).resolves.toEqual({
      delivered: 2,
      deadLettered: 0,
      dropped: 3,
      reason: 'shutdown deadline',
    });
    expect(counters.snapshot()).toMatchObject({ received: 5, delivered: 2, dropped: 3, inFlight: 0 });
    expect(released).toEqual([pendingBatch]);
    expect(tracker.abandon('shutdown deadline')).toBe(0);
  });

  it('never counts more of a batch than there is', () => {
    const { tracker, counters } = make();
    const pendingBatch = tracker.receive(testBatch([1, 2]));
    tracker.drop([{ pendingBatch, count: 5 }], 'internal error');
    tracker.drop([{ pendingBatch, count: 5 }], 'internal error');
    expect(counters.snapshot()).toMatchObject({ received: 2, dropped: 2, inFlight: 0 });
  });
});
