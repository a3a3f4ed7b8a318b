import { afterEach, describe, expect, it } from '@jest/globals';
import { until } from '../testing/index.js';
import { MAX_SINK_BATCH_BYTES } from './lane.js';
import { MemoryQueue } from './memory-queue.js';
import type { QueueItem, SinkBatch } from './queue.js';

const queues: MemoryQueue[] = [];
afterEach(() => {
  for (const queue of queues.splice(0)) queue.destroy();
});

interface Made {
  queue: MemoryQueue;
  conditions: { maxRows: number; maxAgeMs: number; pressure: boolean };
  ready: string[];
  state: { completed: number };
  take: (destination?: string) => SinkBatch | undefined;
}

function make(conditions: Partial<Made['conditions']> = {}, sinks = ['main']): Made {
  const all = { maxRows: 100, maxAgeMs: 60_000, pressure: false, ...conditions };
  const queue = new MemoryQueue({
    sinks,
    tokenPrefix: 'gw/000001',
    conditions: () => ({ now: Date.now(), ...all }),
  });
  queues.push(queue);
  const ready: string[] = [];
  const state = { completed: 0 };
  for (const sink of sinks) {
    queue
      .ready(sink)
      .subscribe({ next: (it) => ready.push(`${sink}:${it}`), complete: () => (state.completed += 1) });
  }
  return { queue, conditions: all, ready, state, take: (it = 'table') => queue.take('main', it) };
}

let sequence = 0;
function item(
  rows: number,
  changes: Partial<QueueItem> & { destination?: string; bytes?: number } = {},
): QueueItem {
  sequence += 1;
  const { destination = 'table', bytes = rows, ...rest } = changes;
  return {
    sink: 'main',
    sequence: String(sequence).padStart(12, '0'),
    receivedAt: Date.now(),
    entry: { destination, rows, bytes: new Uint8Array(bytes) },
    ...rest,
  };
}

describe('MemoryQueue', () => {
  it('has a batch ready when a destination has the rows of one write', () => {
    const { queue, ready, take } = make();
    queue.append([item(60)]);
    expect(ready).toEqual([]);
    queue.append([item(60)]);
    expect(ready).toEqual(['main:table']);
    expect(take()).toMatchObject({ rows: 60 });
    expect(ready).toHaveLength(1);
  });

  it('announces as many batches as there are, and no more', () => {
    const { queue, ready, take } = make();
    for (let i = 0; i < 7; i += 1) queue.append([item(50)]);
    expect(ready).toHaveLength(3);
    expect([take()?.rows, take()?.rows, take()?.rows]).toEqual([100, 100, 100]);
    expect(ready).toHaveLength(3);
  });

  it('freezes a batch: first and last sequence make the token', () => {
    const { queue, take } = make();
    const items = [item(40), item(40), item(40)];
    for (const each of items) queue.append([each]);
    const batch = take()!;
    expect(batch.entries).toEqual([items[0]!.entry, items[1]!.entry]);
    expect(batch.token).toBe(`gw/000001/table/${items[0]!.sequence}-${items[1]!.sequence}`);
  });

  it('never splits an entry, even one above the limit', () => {
    const { queue, ready, take } = make();
    queue.append([item(250)]);
    expect(ready).toEqual(['main:table', 'main:table']);
    expect(take()).toMatchObject({ rows: 250 });
    expect(take()).toBeUndefined();
  });

  it('ends a batch at its bytes', () => {
    const { queue, ready, take } = make({ maxRows: 10_000 });
    const half = MAX_SINK_BATCH_BYTES / 2;
    queue.append([item(1, { bytes: half })]);
    queue.append([item(1, { bytes: half })]);
    queue.append([item(1, { bytes: half })]);
    expect(ready).toHaveLength(1);
    expect(take()).toMatchObject({ rows: 2, bytes: MAX_SINK_BATCH_BYTES });
  });

  it('has a batch ready when its oldest event has waited its time since it was received', async () => {
    const { queue, ready } = make({ maxAgeMs: 10_000 });
    const began = Date.now();
    queue.append([item(1, { receivedAt: began - 9_950 })]);
    expect(ready).toEqual([]);
    await until(() => ready.length > 0);
    expect(Date.now() - began).toBeGreaterThanOrEqual(48);
  });

  it('does not wait longer for an event that seems to come from the future', async () => {
    const { queue, ready } = make({ maxAgeMs: 10 });
    queue.append([item(1, { receivedAt: Date.now() + 3_600_000 })]);
    await until(() => ready.length > 0, 1_000);
  });

  it('follows a shorter interval at once', async () => {
    const { queue, conditions, ready } = make();
    queue.append([item(1)]);
    conditions.maxAgeMs = 5;
    queue.recheck();
    await until(() => ready.length > 0, 1_000);
  });

  it('under pressure gives what it has, one batch of a destination at a time', async () => {
    const { queue, conditions, ready, take } = make();
    queue.append([item(5)]);
    conditions.pressure = true;
    queue.recheck();
    expect(ready).toHaveLength(1);
    const first = take()!;
    queue.append([item(5)]);
    queue.append([item(5)]);
    expect(ready).toHaveLength(1);
    await queue.commit(first);
    expect(ready).toHaveLength(2);
    expect(take()).toMatchObject({ rows: 10 });
  });

  it('holds a destination back while a batch of it fails, and no other', async () => {
    const { queue, ready, take } = make();
    queue.append([item(100)]);
    const failing = take()!;
    queue.hold(failing);
    queue.append([item(100)]);
    queue.append([item(100, { destination: 'other' })]);
    expect(ready).toEqual(['main:table', 'main:other']);
    expect(take()).toBeUndefined();
    await queue.commit(failing);
    expect(ready).toEqual(['main:table', 'main:other', 'main:table']);
    expect(take()).toMatchObject({ rows: 100 });
  });

  it('calls entries written when every sink has', async () => {
    const { queue } = make({}, ['main', 'second']);
    const appended = queue.append([item(100), item(100, { sink: 'second' })]);
    await appended.accepted;
    let written = false;
    void appended.written.then(() => (written = true));
    await queue.commit(queue.take('main', 'table')!);
    await new Promise((resolve) => setImmediate(resolve));
    expect(written).toBe(false);
    await queue.commit(queue.take('second', 'table')!);
    await appended.written;
    await appended.safe;
  });

  it('gives out what is left when it is closed, and completes when all is committed', async () => {
    const { queue, ready, state, take } = make();
    queue.append([item(1), item(1, { destination: 'other' })]);
    queue.close();
    expect(ready).toEqual(['main:table', 'main:other']);
    await queue.commit(take()!);
    expect(state.completed).toBe(0);
    await queue.commit(take('other')!);
    expect(state.completed).toBe(1);
  });

  it('completes at once when it is closed empty', () => {
    const { queue, state } = make();
    queue.close();
    expect(state.completed).toBe(1);
  });

  it('tells what it holds, batches being written included', async () => {
    const { queue, take } = make();
    queue.append([item(100, { receivedAt: Date.now() - 500, bytes: 7 })]);
    queue.append([item(1, { bytes: 3 })]);
    const batch = take()!;
    const stats = queue.stats();
    expect(stats).toMatchObject({ entries: 2, rows: 101, bytes: 10 });
    expect(stats.oldestMs).toBeGreaterThanOrEqual(500);
    await queue.commit(batch);
    await queue.commit(batch);
    expect(queue.stats()).toMatchObject({ entries: 1, rows: 1, bytes: 3 });
  });
});
