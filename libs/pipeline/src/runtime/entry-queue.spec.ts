import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createRecordingLogger, until } from '../testing/index.js';
import { bufferRows } from './buffer-rows.js';
import { MAX_SINK_BATCH_BYTES } from './destination-queue.js';
import { MemoryQueue } from './memory-queue.js';
import type { Appended, EntryQueue, QueueItem, SinkBatch, OutcomeCounts } from './queue.js';
import { SpoolQueue } from './spool-queue.js';

interface Made {
  queue: EntryQueue;
  conditions: { maxRows: number; maxAgeMs: number; pressure: boolean };
  ready: string[];
  state: { completed: number };
  written: [OutcomeCounts, boolean][];
  take: (destination?: string) => Promise<SinkBatch | undefined>;
  /** Appends, and waits until the queue looks at it. */
  append: (items: QueueItem[], tally?: OutcomeCounts) => Promise<Appended>;
}

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

type Kind = 'MemoryQueue' | 'SpoolQueue';

async function make(
  kind: Kind,
  changes: Partial<Made['conditions']> = {},
  sinks = ['main'],
  now = Date.now,
): Promise<Made> {
  const all = { maxRows: 100, maxAgeMs: 60_000, pressure: false, ...changes };
  const written: [OutcomeCounts, boolean][] = [];
  const common = {
    sinks,
    idPrefix: 'gw/000001',
    conditions: () => ({ now: now(), ...all }),
    events: {
      written: (tally: OutcomeCounts, own: boolean) => void written.push([tally, own]),
      lost: () => undefined,
    },
  };
  const directory = mkdtempSync(join(tmpdir(), 'queue-'));
  const queue: EntryQueue =
    kind === 'MemoryQueue'
      ? new MemoryQueue(common)
      : new SpoolQueue({
          ...common,
          directory,
          adopt: [],
          limits: { maxBytes: 2 ** 30, diskReserveBytes: 0 },
          logger: createRecordingLogger(),
          thread: false,
          onFlushed: () => undefined,
          onChanged: () => undefined,
        });
  await queue.open(new AbortController().signal);
  ends.push(async () => {
    await queue.destroy();
    rmSync(directory, { recursive: true });
  });
  const ready: string[] = [];
  const state = { completed: 0 };
  for (const sink of sinks) {
    queue
      .changes(sink)
      .pipe(bufferRows(common.conditions))
      .subscribe({ next: (it) => ready.push(`${sink}:${it}`), complete: () => (state.completed += 1) });
  }
  const append = async (items: QueueItem[], tally?: OutcomeCounts): Promise<Appended> => {
    const appended = queue.append(items, tally);
    if (kind === 'SpoolQueue') await appended.safe;
    return appended;
  };
  return {
    queue,
    conditions: all,
    ready,
    state,
    written,
    append,
    take: (it = 'table') => queue.take('main', it),
  };
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
    entry: { destination, rows, bytes: Buffer.alloc(bytes, sequence) },
    ...rest,
  };
}

const tally = (count: number): OutcomeCounts => ({
  outcome: 'delivered',
  counts: new Map([['alpha', count]]),
});
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe.each<Kind>(['MemoryQueue', 'SpoolQueue'])('%s', (kind) => {
  it('has a batch ready when a destination has the rows of one write', async () => {
    const { append, ready, take } = await make(kind);
    await append([item(60)]);
    expect(ready).toEqual([]);
    await append([item(60)]);
    expect(ready).toEqual(['main:table']);
    expect(await take()).toMatchObject({ rows: 60 });
    expect(ready).toHaveLength(1);
  });

  it('announces as many batches as there are, and no more', async () => {
    const { append, ready, take } = await make(kind);
    for (let i = 0; i < 7; i += 1) await append([item(50)]);
    expect(ready).toHaveLength(3);
    const batches = await Promise.all([take(), take(), take()]);
    expect(batches.map((batch) => batch?.rows)).toEqual([100, 100, 100]);
    expect(ready).toHaveLength(3);
  });

  it('freezes a batch: first and last sequence make the token', async () => {
    const { append, take } = await make(kind);
    const items = [item(40), item(40), item(40)];
    for (const each of items) await append([each]);
    const batch = (await take())!;
    expect(batch.entries).toMatchObject([items[0]!.entry, items[1]!.entry]);
    expect(batch.token).toBe(`gw/000001/table/${items[0]!.sequence}-${items[1]!.sequence}`);
  });

  it('never splits an entry, even one above the limit', async () => {
    const { append, ready, take } = await make(kind);
    await append([item(250)]);
    expect(ready).toEqual(['main:table', 'main:table']);
    expect(await take()).toMatchObject({ rows: 250 });
    expect(await take()).toBeUndefined();
  });

  it('ends a batch at its bytes', async () => {
    const { append, ready, take } = await make(kind, { maxRows: 10_000 });
    const half = MAX_SINK_BATCH_BYTES / 2;
    for (let i = 0; i < 3; i += 1) await append([item(1, { bytes: half })]);
    expect(ready).toHaveLength(1);
    expect(await take()).toMatchObject({ rows: 2, bytes: MAX_SINK_BATCH_BYTES });
  });

  it('has a batch ready when its oldest event has waited its time since it was received', async () => {
    const { append, ready } = await make(kind, { maxAgeMs: 10_000 });
    const began = Date.now();
    await append([item(1, { receivedAt: began - 9_900 })]);
    await until(() => ready.length > 0);
    expect(Date.now() - began).toBeGreaterThanOrEqual(98);
    expect(Date.now() - began).toBeLessThan(9_000);
  });

  it('does not wait longer for an event that seems to come from the future', async () => {
    const { append, ready } = await make(kind, { maxAgeMs: 10 });
    await append([item(1, { receivedAt: Date.now() + 3_600_000 })]);
    await until(() => ready.length > 0, 10_000);
  });

  it('does not wait longer when the clock is set back', async () => {
    let back = 0;
    const { append, ready } = await make(kind, { maxAgeMs: 50 }, ['main'], () => Date.now() - back);
    await append([item(1)]);
    back = 3_600_000;
    await until(() => ready.length > 0, 10_000);
  });

  it('follows a shorter interval at once', async () => {
    const { queue, append, conditions, ready } = await make(kind);
    await append([item(1)]);
    conditions.maxAgeMs = 5;
    queue.recheck();
    await until(() => ready.length > 0, 10_000);
  });

  it('under pressure gives what it has, one batch of a destination at a time', async () => {
    const { queue, append, conditions, ready, take } = await make(kind);
    await append([item(5)]);
    conditions.pressure = true;
    queue.recheck();
    expect(ready).toHaveLength(1);
    const first = (await take())!;
    await append([item(5)]);
    await append([item(5)]);
    expect(ready).toHaveLength(1);
    await queue.commit(first);
    expect(ready).toHaveLength(2);
    expect(await take()).toMatchObject({ rows: 10 });
  });

  it('holds a destination back while a batch of it fails, and no other', async () => {
    const { queue, append, ready, take } = await make(kind);
    await append([item(100)]);
    const failing = (await take())!;
    queue.hold(failing);
    await append([item(100)]);
    await append([item(100, { destination: 'other' })]);
    expect(ready).toEqual(['main:table', 'main:other']);
    expect(await take()).toBeUndefined();
    await queue.commit(failing);
    expect(ready).toEqual(['main:table', 'main:other', 'main:table']);
    expect(await take()).toMatchObject({ rows: 100 });
  });

  it('tells once that entries are written, when every sink has', async () => {
    const { queue, append, written } = await make(kind, {}, ['main', 'second']);
    const appended = await append([item(100), item(100, { sink: 'second' })], tally(100));
    await appended.accepted;
    await queue.commit((await queue.take('main', 'table'))!);
    await tick();
    expect(written).toEqual([]);
    await queue.commit((await queue.take('second', 'table'))!);
    await appended.safe;
    expect(written).toEqual([[tally(100), true]]);
  });

  it('gives out what is left when it is closed, and completes when all is committed', async () => {
    const { queue, append, ready, state, take } = await make(kind);
    await append([item(1), item(1, { destination: 'other' })]);
    queue.close();
    expect(ready).toEqual(['main:table', 'main:other']);
    await queue.commit((await take())!);
    expect(state.completed).toBe(0);
    await queue.commit((await take('other'))!);
    expect(state.completed).toBe(1);
  });

  it('completes at once when it is closed empty', async () => {
    const { queue, state } = await make(kind);
    queue.close();
    expect(state.completed).toBe(1);
  });

  it('tells what it holds, batches being written included', async () => {
    const { queue, append, take } = await make(kind);
    await append([item(100, { receivedAt: Date.now() - 500, bytes: 7 })]);
    await append([item(1, { bytes: 3 })]);
    const batch = (await take())!;
    const stats = queue.stats();
    expect(stats).toMatchObject({ entries: 2, rows: 101, bytes: 10 });
    expect(stats.oldestMs).toBeGreaterThanOrEqual(500);
    await queue.commit(batch);
    await queue.commit(batch);
    expect(queue.stats()).toMatchObject({ entries: 1, rows: 1, bytes: 3 });
  });

  it('gives every entry once and in order, however appending, taking and committing interleave', async () => {
    const { queue, append, conditions } = await make(kind, { maxRows: 7 });
    conditions.pressure = true;
    const appended: string[] = [];
    const taken: string[] = [];
    const out: SinkBatch[] = [];
    const random = seeded(42);
    for (let step = 0; step < 400; step += 1) {
      const dice = random();
      if (dice < 0.5) {
        const one = item(1 + Math.floor(random() * 5));
        appended.push(Buffer.from(one.entry.bytes).toString('hex'));
        if (random() < 0.5) await append([one]);
        else queue.append([one]);
      } else if (dice < 0.75) {
        const batch = await queue.take('main', 'table');
        if (batch === undefined) continue;
        out.push(batch);
        taken.push(...batch.entries.map(({ bytes }) => Buffer.from(bytes).toString('hex')));
      } else if (out.length > 0) {
        const [batch] = out.splice(Math.floor(random() * out.length), 1);
        await queue.commit(batch!);
      }
    }
    while (taken.length < appended.length) {
      const batch = await queue.take('main', 'table');
      if (batch === undefined) await tick();
      else {
        out.push(batch);
        taken.push(...batch.entries.map(({ bytes }) => Buffer.from(bytes).toString('hex')));
      }
    }
    for (const batch of out) await queue.commit(batch);
    expect(taken).toEqual(appended);
    expect(queue.stats()).toMatchObject({ entries: 0, rows: 0, bytes: 0, oldestMs: 0 });
  });
});

/** Numbers from 0 to 1 that are the same each time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}
