import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PartialWriteError, type EncodedEntry, type RejectedRow, type Sink } from '../api/index.js';
import { createRecordingLogger, numbers, testBatch, testOrigin, until } from '../testing/index.js';
import {
  createPipelineHarness,
  type PipelineHarness,
  type PipelineHarnessOptions,
} from '../testing/pipeline-harness.js';
import { createPipeline, type Pipeline } from './index.js';
import type { SinkBatch } from './queue.js';
import { SpoolQueue } from './spool-queue.js';

let root: string;
let epoch = 0;
const running: Pipeline[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'spool-'));
});
afterEach(async () => {
  for (const pipeline of running.splice(0)) await pipeline.drain(Date.now());
  rmSync(root, { recursive: true });
});

type Started = PipelineHarness & { readonly pipeline: Pipeline };

async function start(
  options: PipelineHarnessOptions = {},
  slot = '0',
  prepare: (harness: PipelineHarness) => void = () => undefined,
): Promise<Started> {
  epoch += 1;
  const harness = createPipelineHarness({
    ...options,
    epoch: String(epoch).padStart(6, '0'),
    spool: { directory: join(root, slot), ...options.spool },
    settings: { batchIntervalMs: 5, ...options.settings },
  });
  prepare(harness);
  const pipeline = createPipeline(harness.options);
  running.push(pipeline);
  await pipeline.start(new AbortController().signal);
  return { ...harness, pipeline };
}

const blocked = (): Promise<void> => Promise.reject(new Error('The sink is down.'));
const spoolState = (pipeline: Pipeline) =>
  pipeline.status().instances.find(({ plugin }) => plugin === 'spool')!;
const sorted = (ids: readonly number[]): number[] => [...ids].sort((a, b) => a - b);

/** Puts events into a spool whose sink is down, and stops. */
async function leave(
  ids: readonly number[],
  options: PipelineHarnessOptions = {},
  slot = '0',
): Promise<Started> {
  const started = await start(options, slot);
  for (const sink of started.sinks) sink.onWrite = blocked;
  const batch = testBatch(ids);
  await started.source.emit(batch);
  await expect(batch.settled).resolves.toEqual({ delivered: ids.length, deadLettered: 0, dropped: 0 });
  await until(() => started.sinks.every(({ attempts }) => attempts.length > 0));
  return started;
}

describe('a pipeline with a spool', () => {
  it('settles events when they are on disk, and counts them when they are written', async () => {
    const { pipeline, sink } = await leave(numbers(0, 10));
    expect(pipeline.status().counts).toMatchObject({ received: 10, delivered: 0, inFlight: 10 });
    expect(pipeline.status().queue).toMatchObject({ entries: 1, rows: 10, spool: { entries: 1, full: 0 } });
    sink.onWrite = () => Promise.resolve();
    await until(() => pipeline.status().counts.delivered === 10);
    expect(pipeline.status().counts).toMatchObject({ received: 10, dropped: 0, inFlight: 0, recovered: 0 });
    expect(pipeline.status().queue).toMatchObject({ entries: 0, rows: 0, bytes: 0, spool: { entries: 0 } });
  });

  it('gives the memory of entries back when they are on disk, once, and reads them from there', async () => {
    const { pipeline, source, sink } = await start({}, '1');
    const open = sink.open.bind(sink);
    const released: EncodedEntry[] = [];
    sink.open = (type) => {
      const block = open(type);
      const finish = (id: string): EncodedEntry => {
        const entry = block.finish(id);
        const release = (): void => {
          released.push(entry);
          entry.bytes.fill(0x20);
        };
        return { ...entry, release };
      };
      return { add: (batch) => block.add(batch), undo: () => block.undo(), finish };
    };
    sink.onWrite = blocked;
    const batch = testBatch(numbers(0, 10));
    await source.emit(batch);
    expect(released).toHaveLength(0);
    await batch.settled;
    expect(released).toHaveLength(1);
    sink.onWrite = () => Promise.resolve();
    await until(() => pipeline.status().counts.delivered === 10);
    expect(sink.ids()).toEqual(numbers(0, 10));
    expect(released).toHaveLength(1);
  });

  it('keeps at the shutdown deadline what is not written, and writes it after the next start', async () => {
    const { pipeline, sink } = await leave(numbers(0, 10));
    const report = await pipeline.drain(Date.now() + 50);
    expect(report).toEqual({ pipeline: 'test', written: 0, left: 10, kept: 10, waiting: 10 });
    expect(pipeline.status().counts).toMatchObject({ received: 10, delivered: 0, dropped: 0, inFlight: 10 });

    const next = await start();
    await until(() => next.sink.ids().length === 10);
    expect(next.sink.writes[0]).toMatchObject({
      token: sink.attempts[0]!.token,
      text: sink.attempts[0]!.text,
    });
    await until(() => next.pipeline.status().counts.recovered === 10);
    expect(next.pipeline.status().counts).toMatchObject({ received: 0, delivered: 0, inFlight: 0 });
    expect(next.metrics.value('gateway_events_recovered_total', { pipeline: 'test' })).toBe(10);
  });

  it('writes what was left before what is new', async () => {
    const { pipeline } = await leave(numbers(0, 10));
    await pipeline.drain(Date.now());
    const next = await start({ settings: { sinkWriters: 1 } });
    const batch = testBatch(numbers(10, 10));
    await next.source.emit(batch);
    await until(() => next.sink.ids().length === 20);
    expect(next.sink.ids()).toEqual(numbers(0, 20));
  });

  it('lets no sink hold up another, and remembers where each is', async () => {
    const first = await start({ sinks: 2 });
    first.sinks[1]!.onWrite = blocked;
    const batch = testBatch(numbers(0, 5));
    await first.source.emit(batch);
    await batch.settled;
    await until(() => first.sink.ids().length === 5);
    expect(first.pipeline.status().counts).toMatchObject({ delivered: 0, inFlight: 5 });
    await first.pipeline.drain(Date.now() + 50);

    const next = await start({ sinks: 2 });
    await until(() => next.pipeline.status().counts.recovered === 5);
    expect(sorted(next.sinks[1]!.ids())).toEqual(numbers(0, 5));
    expect(next.sink.ids()).toEqual([]);
  });

  it('keeps entries of a sink that is no longer configured, says so, and writes them when it is back', async () => {
    const { pipeline } = await leave(numbers(0, 5), { sinks: 2 });
    await pipeline.drain(Date.now());
    const without = await start({ sinks: 1 });
    await until(() => without.sink.ids().length === 5);
    expect(without.pipeline.status().queue).toMatchObject({ spool: { stranded: 1 } });
    expect(spoolState(without.pipeline)).toMatchObject({
      state: 'degraded',
      reason: expect.stringContaining('second'),
    });
    await without.pipeline.drain(Date.now() + 1_000);
    const back = await start({ sinks: 2 });
    await until(() => back.sinks[1]!.ids().length === 5);
    expect(spoolState(back.pipeline).state).toBe('ok');
    expect(back.sink.ids()).toEqual([]);
  });

  it('adopts the spools of reactors that are no more, writes them out and removes them', async () => {
    const other = await leave(numbers(0, 5), {}, '1');
    await other.pipeline.drain(Date.now());
    const third = await leave(numbers(5, 5), {}, '2');
    await third.pipeline.drain(Date.now());
    const adopt = [join(root, '1')];
    const { pipeline, sink, source } = await start({ spool: { directory: join(root, '0'), adopt } });
    pipeline.adopt([join(root, '2')]);
    await source.emit(testBatch([10]));
    await until(() => sink.ids().length === 11);
    expect(sorted(sink.ids())).toEqual(numbers(0, 11));
    await until(() => !existsSync(join(root, '1')) && !existsSync(join(root, '2')));
    expect(pipeline.status().counts).toMatchObject({ received: 1, recovered: 10 });
    expect(pipeline.status().queue).toMatchObject({ spool: { adopted: 0 } });
  });

  it('holds sources back when it is full, says so, and loses nothing', async () => {
    const { pipeline, source, sink } = await start({
      settings: { bufferMaxEvents: 20, batchSize: 5 },
      spool: { directory: join(root, '0'), maxBytes: 10_000 },
    });
    sink.onWrite = blocked;
    let emitted = 0;
    const flood = (async () => {
      for (; emitted < 400; emitted += 5) await source.emit(testBatch(numbers(emitted, 5)));
    })();
    await until(() => spoolState(pipeline).state === 'degraded');
    await until(() => pipeline.status().backPressure);
    expect(spoolState(pipeline).reason).toContain('The spool is full');
    expect(pipeline.status().queue).toMatchObject({ spool: { full: 1 } });
    expect(emitted).toBeLessThan(400);
    sink.onWrite = () => Promise.resolve();
    await flood;
    await until(() => pipeline.status().counts.delivered === 400, 20_000);
    expect(sorted(sink.ids())).toEqual(numbers(0, 400));
    expect(pipeline.status().counts).toMatchObject({ received: 400, dropped: 0, inFlight: 0 });
    await until(() => spoolState(pipeline).state === 'ok');
  }, 30_000);

  it('does not start without its spool, and says what is wrong', async () => {
    const { options } = createPipelineHarness({ spool: { directory: '/dev/null/spool' } });
    const pipeline = createPipeline(options);
    await expect(pipeline.start(new AbortController().signal)).rejects.toMatchObject({
      code: 'SPOOL_UNUSABLE',
    });
    await pipeline.drain(Date.now());
  });
});

describe('SpoolQueue', () => {
  const open: SpoolQueue[] = [];
  afterEach(async () => {
    for (const queue of open.splice(0)) await queue.destroy();
  });

  /** The queue of a run of the gateway. */
  async function run(run: number, slot = '0', adopt: readonly string[] = []): Promise<SpoolQueue> {
    const queue = new SpoolQueue({
      sinks: ['main'],
      idPrefix: `gw/00000${run}`,
      conditions: () => ({ now: Date.now(), maxRows: 100, maxAgeMs: 60_000, pressure: false }),
      events: { written: () => undefined, lost: () => undefined },
      directory: join(root, slot),
      adopt,
      limits: { maxBytes: 2 ** 30, diskReserveBytes: 0 },
      logger: createRecordingLogger(),
      thread: false,
      onFlushed: () => undefined,
      onChanged: () => undefined,
    });
    open.push(queue);
    await queue.open(new AbortController().signal);
    return queue;
  }

  async function append(queue: SpoolQueue, from: number, count: number): Promise<void> {
    const items = numbers(from, count).map((n) => ({
      sink: 'main',
      sequence: String(n).padStart(12, '0'),
      receivedAt: Date.now(),
      entry: { destination: 'table', rows: 40, bytes: Buffer.from(`entry ${n}`) },
    }));
    for (const item of items) await queue.append([item]).safe;
  }

  const seen = ({ token, rows, bytes, receivedAt, entries }: SinkBatch): object => ({
    token,
    rows,
    bytes,
    receivedAt,
    entries: entries.map(({ id, rows, bytes }) => ({ id, rows, text: Buffer.from(bytes).toString() })),
  });

  /** Freezes entries 0 and 1, appends 2, and ends without a commit. */
  async function leaveFrozen(): Promise<SinkBatch> {
    const first = await run(1);
    await append(first, 0, 3);
    const batch = (await first.take('main', 'table'))!;
    expect(batch).toMatchObject({ rows: 80, token: 'gw/000001/table/000000000000-000000000001' });
    expect(batch.uncertain).toBeUndefined();
    expect(batch.entries.map(({ id }) => id)).toEqual(['gw/000001/000000000000', 'gw/000001/000000000001']);
    await first.destroy();
    return batch;
  }

  it.each([
    ['in its own spool', '0'],
    ['in one that it adopts', '1'],
  ])('gives a batch that an earlier process has frozen as it was, and as uncertain: %s', async (_, slot) => {
    const before = await leaveFrozen();
    const queue = await run(2, slot, slot === '0' ? [] : [join(root, '0')]);
    await until(() => queue.stats().entries === 3);
    await append(queue, 3, 1);
    const again = (await queue.take('main', 'table'))!;
    expect(again.uncertain).toBe(true);
    expect(seen(again)).toEqual(seen(before));
    await queue.commit(again);
    const rest = (await queue.take('main', 'table'))!;
    expect(rest).toMatchObject({ rows: 40, token: 'gw/000001/table/000000000002-000000000002' });
    expect(rest.uncertain).toBeUndefined();
  });

  it('gives a frozen batch once more after each end without a commit, and never after one', async () => {
    const before = await leaveFrozen();
    const second = await run(2);
    expect(seen((await second.take('main', 'table'))!)).toEqual(seen(before));
    await second.destroy();
    const third = await run(3);
    const again = (await third.take('main', 'table'))!;
    expect(seen(again)).toEqual(seen(before));
    await third.commit(again);
    await third.destroy();
    const fourth = await run(4);
    expect((await fourth.take('main', 'table'))!.entries.map(({ id }) => id)).toEqual([
      'gw/000001/000000000002',
    ]);
    expect(await fourth.take('main', 'table')).toBeUndefined();
  });
});

describe('rows that a sink rejects', () => {
  const refusal = (): Error => new PartialWriteError('Row 3 is refused.', '469', [3]);
  const rejected: RejectedRow = {
    code: 'violated_constraint',
    sinkCode: '469',
    field: '/id',
    message: 'No.',
    raw: '{"id":3}',
    origin: testOrigin(),
    receivedAt: 1_000,
    entry: 0,
  };
  const recovery = { found: [0], rejected: [rejected] };
  type Recover = NonNullable<Sink['recover']>;

  /** The second sink rejects; the first has the dead letters. */
  function rejecting(recover: Recover, slot = '0', adopt: readonly string[] = []): Promise<Started> {
    return start(
      { sinks: 2, spool: { directory: join(root, slot), adopt } },
      slot,
      ({ sinks: [, second] }) => {
        second!.onWrite = () => Promise.reject(refusal());
        (second as Sink).recover = recover;
      },
    );
  }

  it('go to the sink of the dead letters, once, when the process ends before they are committed', async () => {
    const whys: unknown[] = [];
    const first = await rejecting((_entries, _token, why) => {
      whys.push(why.uncertain);
      return new Promise(() => undefined);
    });
    await first.source.emit(testBatch(numbers(0, 10)));
    await until(() => whys.length === 1 && first.sink.ids().length === 10);
    await first.pipeline.drain(Date.now());
    expect(first.sink.letters()).toEqual([]);

    const next = await rejecting(async (_entries, _token, why) => {
      whys.push(why.uncertain);
      return recovery;
    });
    await until(() => next.sink.letters().length === 1);
    await next.pipeline.drain(Date.now() + 5_000);
    expect(whys).toEqual([false, true]);
    expect(next.sink.letters()).toMatchObject([
      {
        stage: 'sink',
        raw: '{"id":3}',
        raw_encoding: 'row',
        destination: 'alpha_events',
        event_type: 'alpha',
      },
    ]);
    expect(next.sinks[1]!.letters()).toEqual([]);
    const last = await rejecting(async () => recovery);
    expect(last.pipeline.status().queue).toMatchObject({ entries: 0 });
  });

  it('are in the spool, and the batch is not, when the process ends before they are written', async () => {
    const first = await rejecting(async () => recovery);
    first.sink.onWrite = async ({ destination }) => {
      if (destination === 'dead_letters') throw new Error('The sink is down.');
    };
    await first.source.emit(testBatch(numbers(0, 10)));
    await until(() => first.sink.attempts.some(({ destination }) => destination === 'dead_letters'));
    const attempt = first.sink.attempts.find(({ destination }) => destination === 'dead_letters')!;
    await first.pipeline.drain(Date.now());

    const next = await rejecting(() => Promise.reject(new Error('It is asked again.')));
    await until(() => next.sink.letters().length === 1);
    expect(next.sink.writes.at(-1)).toMatchObject({ token: attempt.token, text: attempt.text });
    expect(next.sinks[1]!.attempts).toEqual([]);
    await until(() => next.pipeline.status().queue.entries === 0);
  });

  it('of an adopted spool stay in it until they are written', async () => {
    const other = await rejecting(() => new Promise(() => undefined), '1');
    await other.source.emit(testBatch(numbers(0, 10)));
    await until(() => other.sinks[1]!.attempts.length > 0 && other.sink.ids().length === 10);
    await other.pipeline.drain(Date.now());
    const { sink, pipeline } = await rejecting(async () => recovery, '0', [join(root, '1')]);
    await until(() => sink.letters().length === 1);
    await until(() => !existsSync(join(root, '1')));
    await until(() => pipeline.status().queue.spool?.adopted === 0);
    expect(pipeline.status().queue).toMatchObject({ entries: 0 });
  });
});
