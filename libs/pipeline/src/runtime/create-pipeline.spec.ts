import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { numbers, testBatch, until } from '../testing/index.js';
import {
  createPipelineHarness,
  type PipelineHarness,
  type PipelineHarnessOptions,
} from '../testing/pipeline-harness.js';
import { createPipeline, type Pipeline } from './index.js';

const running: Pipeline[] = [];

afterEach(async () => {
  for (const pipeline of running.splice(0)) await pipeline.drain(Date.now());
});

type Started = PipelineHarness & { readonly pipeline: Pipeline };

async function start(options?: PipelineHarnessOptions): Promise<Started> {
  const harness = createPipelineHarness(options);
  const pipeline = createPipeline(harness.options);
  running.push(pipeline);
  await pipeline.start(new AbortController().signal);
  return { ...harness, pipeline };
}

const sorted = (ids: readonly number[]): number[] => [...ids].sort((a, b) => a - b);
const mixed = (i: number): string => (i % 2 === 0 ? 'Alpha' : 'Beta');
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Gives batches of 150 events over so many connections; ends when all are taken. */
async function stream({ source }: Started, connections: number, batches: number): Promise<void> {
  await Promise.all(
    numbers(0, connections).map(async (connection) => {
      for (let n = 0; n < batches; n += 1) {
        const first = (connection * batches + n) * 150;
        await source.emit(testBatch(numbers(first, 150), { type: mixed }));
      }
    }),
  );
}

describe('a pipeline', () => {
  it('brings events of all types to their destinations', async () => {
    const { source, sink, pipeline } = await start();
    const batch = testBatch(numbers(0, 10), { type: mixed });
    await source.emit(batch);
    await expect(batch.settled).resolves.toEqual({ delivered: 10, deadLettered: 0, dropped: 0 });
    expect(sorted(sink.ids())).toEqual(numbers(0, 10));
    expect(sink.rows('alpha_events')[0]!.entryId).toMatch(/^gw\/000001\/\d{12}$/);
    for (const { token, destination } of sink.writes) {
      expect(token).toMatch(new RegExp(`^gw/000001/${destination}/(\\d{12})-\\1$`));
    }
    expect(pipeline.status()).toMatchObject({
      name: 'test',
      backPressure: false,
      queue: { entries: 0, rows: 0, bytes: 0, oldestMs: 0 },
      counts: {
        received: 10,
        receivedBytes: 100,
        delivered: 10,
        inFlight: 0,
        deliveredByType: { alpha_events: 5, beta_events: 5 },
      },
    });
  });

  it('settles a batch that it had to cut once, with the sum of its parts', async () => {
    const { source, sink } = await start({
      settings: { batchSize: 10, batchIntervalMs: 5, sinkBatchSize: 10 },
    });
    const encoded: number[] = [];
    sink.onEncode = ({ records }) => void encoded.push(records.length);
    const ids = numbers(0, 95);
    ids[3] = -1;
    const batch = testBatch(ids);
    await source.emit(batch);
    await expect(batch.settled).resolves.toEqual({ delivered: 94, deadLettered: 1, dropped: 0 });
    expect(Math.max(...encoded)).toBeLessThanOrEqual(10);
    expect(sorted(sink.ids())).toEqual(ids.filter((id) => id >= 0));
  });

  it('settles an empty batch at once', async () => {
    const { source } = await start();
    const batch = testBatch([]);
    await source.emit(batch);
    await expect(batch.settled).resolves.toEqual({ delivered: 0, deadLettered: 0, dropped: 0 });
  });

  it('gives two pipelines of one epoch no common token', async () => {
    const [one, two] = [await start(), await start()];
    const batches = [testBatch([1]), testBatch([2])];
    await one.source.emit(batches[0]!);
    await two.source.emit(batches[1]!);
    await Promise.all(batches.map(({ settled }) => settled));
    expect(one.sink.writes[0]!.token).not.toBe(two.sink.writes[0]!.token);
    expect(one.sink.rows('alpha_events')[0]!.entryId).not.toBe(two.sink.rows('alpha_events')[0]!.entryId);
  });

  it('lets an event wait for the batch interval since its receipt, and no longer', async () => {
    const { source, sink } = await start({ settings: { batchIntervalMs: 20_000 } });
    const receivedAt = Date.now() - 19_900;
    const batch = testBatch([1], { receivedAt });
    await source.emit(batch);
    await batch.settled;
    const waited = sink.attempts[0]!.at - receivedAt;
    expect(waited).toBeGreaterThanOrEqual(19_998);
    expect(waited).toBeLessThan(22_000);
  });

  it('writes at once when one write is full', async () => {
    const { source, sink } = await start({ settings: { batchIntervalMs: 60_000, sinkBatchSize: 200 } });
    const batch = testBatch(numbers(0, 400));
    await source.emit(batch);
    await batch.settled;
    expect(sink.writes.map(({ rows }) => rows)).toEqual([200, 200]);
  });

  it('sets its gauges and counters under their names', async () => {
    const { source, metrics, pipeline } = await start({ settings: { batchIntervalMs: 5 } });
    const batch = testBatch([1, 2, -3]);
    await source.emit(batch);
    await batch.settled;
    await pipeline.drain(Date.now() + 1_000);
    const pipelineLabel = { pipeline: 'test' };
    expect(metrics.value('gateway_events_received_total', pipelineLabel)).toBe(3);
    expect(metrics.value('gateway_event_bytes_received_total', pipelineLabel)).toBe(30);
    expect(metrics.value('gateway_events_delivered_total', { ...pipelineLabel, type: 'alpha_events' })).toBe(
      2,
    );
    expect(metrics.value('gateway_dead_letters_total', { ...pipelineLabel, code: 'negative_id' })).toBe(1);
    const sinkLabels = { ...pipelineLabel, sink: 'main' };
    expect(metrics.value('gateway_sink_rows_total', sinkLabels)).toBe(3);
    expect(metrics.value('gateway_sink_writes_total', { ...sinkLabels, outcome: 'ok' })).toBe(2);
    expect(metrics.value('gateway_events_in_flight', pipelineLabel)).toBe(0);
  });
});

describe('back-pressure', () => {
  it('bounds what is held by the limit and one batch a connection, with a sink that does not write', async () => {
    const harness = await start({ settings: { bufferMaxEvents: 1_000 } });
    const { sink, pipeline } = harness;
    let open = (): void => undefined;
    const blocked = new Promise<void>((resolve) => (open = resolve));
    sink.onWrite = () => blocked;
    const streaming = stream(harness, 10, 20);
    await until(() => pipeline.status().backPressure);
    await pause(50);
    const { inFlight, received } = pipeline.status().counts;
    expect(inFlight).toBe(received);
    expect(inFlight).toBeLessThanOrEqual(1_000 + 10 * 150);
    open();
    await streaming;
    await until(() => pipeline.status().counts.inFlight === 0);
    expect(sorted(sink.ids())).toEqual(numbers(0, 10 * 20 * 150));
    expect(pipeline.status().backPressure).toBe(false);
  });

  it('counts bytes too', async () => {
    const { source, sink, pipeline } = await start({ maxBytes: 1_000 });
    sink.onWrite = () => pause(30);
    const batch = testBatch([1], { bytes: 5_000 });
    const room = source.emit(batch);
    expect(pipeline.status().backPressure).toBe(true);
    await batch.settled;
    await room;
    expect(pipeline.status().backPressure).toBe(false);
  });

  it('does not wait for the interval while sources wait: with the defaults no batch would ever be full', async () => {
    const harness = await start({
      settings: { batchIntervalMs: 10_000, bufferMaxEvents: 10_000, sinkBatchSize: 10_000 },
    });
    harness.sink.onWrite = () => pause(5);
    const began = Date.now();
    await stream(harness, 20, 20);
    expect(Date.now() - began).toBeLessThan(5_000);
    await until(() => harness.pipeline.status().counts.delivered >= 50_000);
    // And not by tiny writes: what comes while one is under way goes with the next.
    const rows = harness.sink.writes.map((write) => write.rows);
    expect(rows.reduce((sum, n) => sum + n, 0) / rows.length).toBeGreaterThan(500);
  });

  it('goes on when the limit is raised', async () => {
    const { source, sink, settings } = await start({ settings: { bufferMaxEvents: 10 } });
    sink.onWrite = () => new Promise(() => undefined);
    const room = source.emit(testBatch(numbers(0, 50)));
    settings.set({ ...settings.current, bufferMaxEvents: 100 });
    await room;
  });
});

describe('settings', () => {
  it('change the rows of a write, the interval and the writers of what comes next', async () => {
    const { source, sink, settings } = await start({
      settings: { batchIntervalMs: 60_000, sinkBatchSize: 1_000, sinkWriters: 1 },
    });
    sink.onWrite = () => pause(10);
    const first = [0, 100, 200].map((from) => testBatch(numbers(from, 100)));
    for (const batch of first) {
      await source.emit(batch);
      // Longer than batches are gathered for: each is an entry.
      await pause(30);
    }
    settings.set({ ...settings.current, sinkBatchSize: 100, sinkWriters: 3 });
    await Promise.all(first.map(({ settled }) => settled));
    expect(sink.writes.map(({ rows }) => rows)).toEqual([100, 100, 100]);
    expect(sink.peakRunning).toBe(3);
    const second = testBatch(numbers(300, 10));
    await source.emit(second);
    settings.set({ ...settings.current, batchIntervalMs: 20 });
    await second.settled;
  });

  it('bound the writes that run at a time over all sinks', async () => {
    const { source, sinks } = await start({
      sinks: 2,
      settings: { sinkBatchSize: 50, batchSize: 50, sinkWriters: 4 },
    });
    for (const sink of sinks) sink.onWrite = () => pause(5);
    const batch = testBatch(numbers(0, 500));
    await source.emit(batch);
    await batch.settled;
    expect(sinks.map(({ peakRunning }) => peakRunning)).toEqual([2, 2]);
  });

  it('bound the processing batches that wait for a queue which takes no more', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'jobs-'));
    const { source, parser, sink, settings, pipeline } = await start({
      settings: { batchSize: 10, maxConcurrentJobs: 1 },
      spool: { directory, maxBytes: 1 },
    });
    sink.onWrite = (_, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    // A few of these are all that may wait for a full disk.
    sink.encode = () => Buffer.alloc(1024 * 1024);
    let processed = 0;
    parser.onApply = () => void (processed += 1);
    const emitUntilHeldUp = async (): Promise<number> => {
      for (let [before, same] = [-1, 0]; same < 10;) {
        void source.emit(testBatch(numbers(0, 10)));
        await pause(15);
        same = processed === before ? same + 1 : 0;
        before = processed;
      }
      return processed;
    };
    const withOne = await emitUntilHeldUp();
    settings.set({ ...settings.current, maxConcurrentJobs: 4 });
    expect(await emitUntilHeldUp()).toBe(withOne + 3);
    await pipeline.drain(Date.now());
    await rm(directory, { recursive: true });
  });

  it('bound the writes that run at a time', async () => {
    const { source, sink } = await start({ settings: { sinkBatchSize: 50, batchSize: 50, sinkWriters: 2 } });
    sink.onWrite = () => pause(5);
    const batch = testBatch(numbers(0, 500));
    await source.emit(batch);
    await batch.settled;
    expect(sink.peakRunning).toBe(2);
  });
});

describe('two sinks', () => {
  it('both get every event, which counts once and settles when both have it', async () => {
    const { source, sinks, pipeline } = await start({ sinks: 2, settings: { batchIntervalMs: 5 } });
    let open = (): void => undefined;
    const blocked = new Promise<void>((resolve) => (open = resolve));
    sinks[1]!.onWrite = () => blocked;
    const batch = testBatch([1, 2, -3]);
    await source.emit(batch);
    await until(() => sinks[0]!.letters().length === 1 && sinks[0]!.ids().length === 2);
    expect(pipeline.status().counts).toMatchObject({ delivered: 0, deadLettered: 1, inFlight: 2 });
    open();
    await expect(batch.settled).resolves.toEqual({ delivered: 2, deadLettered: 1, dropped: 0 });
    expect(sinks.map((sink) => sorted(sink.ids()))).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(sinks[1]!.letters()).toEqual([]);
    expect(pipeline.status().counts).toMatchObject({
      received: 3,
      delivered: 2,
      deadLettered: 1,
      inFlight: 0,
    });
  });

  it('do not wait for one another, even with a single writer', async () => {
    const { source, sinks } = await start({ sinks: 2, settings: { batchIntervalMs: 5, sinkWriters: 1 } });
    sinks[1]!.onWrite = () => new Promise(() => undefined);
    for (let i = 0; i < 20; i += 1) {
      await source.emit(testBatch([i]));
      await pause(10);
    }
    await until(() => sinks[0]!.ids().length === 20);
    expect(sinks[1]!.running).toBe(1);
  });
});

describe('a drain at any moment', () => {
  it.each([0, 1, 3, 10, 30])('%d ms after the start leaves no event unaccounted for', async (ms) => {
    const harness = await start({ sinks: 2, settings: { batchIntervalMs: 5, bufferMaxEvents: 1_000 } });
    const { sinks, pipeline, source } = harness;
    for (const sink of sinks) sink.onWrite = () => pause(Math.random() * 10);
    const batches: Promise<number>[] = [];
    const streaming = numbers(0, 5).map(async (connection) => {
      for (let n = 0; ; n += 1) {
        const batch = testBatch(numbers((connection * 10_000 + n) * 70, 70), { type: mixed });
        batches.push(batch.settled.then((s) => s.delivered + s.deadLettered + s.dropped));
        await source.emit(batch);
        await pause(1);
      }
    });
    const stopped = Promise.allSettled(streaming);
    await pause(ms);
    const { left } = await pipeline.drain(Date.now() + ms);
    await stopped;
    const { received, delivered, dropped, inFlight } = pipeline.status().counts;
    expect(inFlight).toBe(0);
    expect(delivered + dropped).toBe(received);
    expect(dropped).toBeGreaterThanOrEqual(left);
    expect((await Promise.all(batches)).reduce((sum, n) => sum + n, 0)).toBe(received);
    const both = new Set(sinks[1]!.ids());
    expect(sinks[0]!.ids().filter((id) => both.has(id)).length).toBeGreaterThanOrEqual(delivered);
  });
});

describe('in = delivered + dead-lettered + dropped + in flight', () => {
  it.each([1, 2, 3, 4])(
    'holds at all times, with throwing plugins and sinks, seed %d',
    async (seed) => {
      let state = seed * 2_654_435_761;
      const random = (): number => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state / 2 ** 32;
      };
      const { source, parser, sinks, settings, pipeline } = await start({
        sinks: 2,
        settings: { batchSize: 40, batchIntervalMs: 10, sinkBatchSize: 100, bufferMaxEvents: 500 },
      });
      let calls = 0;
      parser.onApply = () => {
        calls += 1;
        if (calls % 7 === 0) throw new Error('every 7th time');
      };
      for (const sink of sinks) {
        let encodes = 0;
        sink.onEncode = () => {
          encodes += 1;
          if (encodes % 7 === 0) throw new Error('every 7th time');
        };
        sink.onWrite = async () => {
          if (random() < 0.5) await pause(random() * 4);
          if (random() < 0.02) throw new Error('network');
        };
      }
      const settlements: Promise<number>[] = [];
      let sent = 0;
      const connection = async (): Promise<void> => {
        for (let n = 0; n < 15; n += 1) {
          const size = Math.floor(random() * 120);
          const ids = numbers(sent, size).map((id) => (random() < 0.05 ? -id - 1 : id));
          const type = (): string => (random() < 0.05 ? 'Gamma' : random() < 0.5 ? 'Alpha' : 'Beta');
          const batch = testBatch(ids, { type });
          sent += size;
          settlements.push(batch.settled.then((s) => s.delivered + s.deadLettered + s.dropped));
          await source.emit(batch);
          if (random() < 0.2) await pause(random() * 5);
          const { received, delivered, deadLettered, dropped, inFlight } = pipeline.status().counts;
          expect(delivered + deadLettered + dropped + inFlight).toBe(received);
          expect(inFlight).toBeGreaterThanOrEqual(0);
          if (random() < 0.1)
            settings.set({ ...settings.current, batchSize: 10 + Math.floor(random() * 90) });
        }
      };
      await Promise.all(numbers(0, 8).map(connection));
      const report = await pipeline.drain(Date.now() + 20_000);
      expect(report.left).toBe(0);
      const { received, delivered, deadLettered, dropped, inFlight, ...by } = pipeline.status().counts;
      expect({ received, inFlight }).toEqual({ received: sent, inFlight: 0 });
      expect(delivered + deadLettered + dropped).toBe(sent);
      expect((await Promise.all(settlements)).reduce((sum, n) => sum + n, 0)).toBe(sent);
      const ids = sinks.map((sink) => new Set(sink.ids()));
      expect(ids.map(({ size }, i) => size === sinks[i]!.ids().length)).toEqual([true, true]);
      expect([...ids[0]!].filter((id) => ids[1]!.has(id))).toHaveLength(delivered);
      expect(sinks[0]!.letters()).toHaveLength(deadLettered);
      expect(Object.values(by.deliveredByType).reduce((sum, n) => sum + n, 0)).toBe(delivered);
      expect(Object.values(by.deadLettersByCode).reduce((sum, n) => sum + n, 0)).toBe(deadLettered);
    },
    30_000,
  );
});
