import { describe, expect, it } from '@jest/globals';
import { createRecordingMetrics, numbers, testBatch } from '../testing/index.js';
import { PipelineCounters } from './counters.js';
import type { Ledger } from './ledger.js';
import { PipelineMeter } from './meter.js';
import type { Appended } from './queue.js';
import { Settler, type Unit } from './settle.js';

function make() {
  const counters = new PipelineCounters(new PipelineMeter(createRecordingMetrics(), 'test'));
  const released: Ledger[] = [];
  return { counters, released, settler: new Settler(counters, (ledger) => released.push(ledger)) };
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

const delivered = (ledger: Ledger, count: number): Unit => ({
  fate: 'delivered',
  counts: new Map([['alpha_events', count]]),
  shares: [{ ledger, count }],
});

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Settler', () => {
  it('settles when entries are safe, and counts when they are written', async () => {
    const { settler, counters, released } = make();
    const batch = testBatch(numbers(0, 5));
    const ledger = settler.receive(batch);
    const entry = pending();
    settler.follow(delivered(ledger, 5), [entry.appended]);
    entry.safe();
    await expect(batch.settled).resolves.toEqual({ delivered: 5, deadLettered: 0, dropped: 0 });
    expect(released).toEqual([ledger]);
    expect(counters.snapshot()).toMatchObject({ delivered: 0, inFlight: 5 });
    settler.written(delivered(ledger, 5), true);
    expect(counters.snapshot()).toMatchObject({ received: 5, delivered: 5, inFlight: 0 });
  });

  it('counts what an earlier run had received apart', () => {
    const { settler, counters } = make();
    const ledger = settler.receive(testBatch([1]));
    settler.written(delivered(ledger, 7), false);
    settler.lost(delivered(ledger, 2), false);
    expect(counters.snapshot()).toMatchObject({ received: 1, delivered: 0, inFlight: 1, recovered: 7 });
  });

  it('counts as dropped what the queue has lost after it was safe', async () => {
    const { settler, counters } = make();
    const batch = testBatch(numbers(0, 3));
    const ledger = settler.receive(batch);
    const entry = pending();
    settler.follow(delivered(ledger, 3), [entry.appended]);
    entry.safe();
    await batch.settled;
    settler.lost(delivered(ledger, 3), true);
    expect(counters.snapshot()).toMatchObject({ received: 3, dropped: 3, inFlight: 0 });
  });

  it('waits for everything that a unit was appended with', async () => {
    const { settler, released } = make();
    const ledger = settler.receive(testBatch([1]));
    const entries = [pending(), pending()];
    settler.follow(
      delivered(ledger, 1),
      entries.map(({ appended }) => appended),
    );
    entries[0]!.safe();
    await tick();
    expect(released).toEqual([]);
    entries[1]!.safe();
    await tick();
    expect(released).toEqual([ledger]);
  });

  it('drops what the queue loses', async () => {
    const { settler, counters } = make();
    const batch = testBatch([1, 2]);
    const entry = pending();
    settler.follow(delivered(settler.receive(batch), 2), [entry.appended]);
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
    const { settler, counters, released } = make();
    const batch = testBatch(numbers(0, 5));
    const ledger = settler.receive(batch);
    const [early, late] = [pending(), pending()];
    settler.follow(delivered(ledger, 2), [early.appended]);
    settler.follow(delivered(ledger, 3), [late.appended]);
    early.safe();
    settler.written(delivered(ledger, 2), true);
    await tick();
    expect(settler.abandon('shutdown deadline')).toBe(3);
    late.safe();
    settler.written(delivered(ledger, 3), true);
    await tick();
    await expect(batch.settled).resolves.toEqual({
      delivered: 2,
      deadLettered: 0,
      dropped: 3,
      reason: 'shutdown deadline',
    });
    expect(counters.snapshot()).toMatchObject({ received: 5, delivered: 2, dropped: 3, inFlight: 0 });
    expect(released).toEqual([ledger]);
    expect(settler.abandon('shutdown deadline')).toBe(0);
  });

  it('never counts more of a batch than there is', () => {
    const { settler, counters } = make();
    const ledger = settler.receive(testBatch([1, 2]));
    settler.drop([{ ledger, count: 5 }], 'internal error');
    settler.drop([{ ledger, count: 5 }], 'internal error');
    expect(counters.snapshot()).toMatchObject({ received: 2, dropped: 2, inFlight: 0 });
  });
});
