import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  createPipelineHarness,
  numbers,
  testBatch,
  until,
  type PipelineHarness,
  type PipelineHarnessOptions,
} from '../testing/index.js';
import { createPipeline, type Pipeline } from './index.js';

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

async function start(options: PipelineHarnessOptions = {}, slot = '0'): Promise<Started> {
  epoch += 1;
  const harness = createPipelineHarness({
    ...options,
    epoch: String(epoch).padStart(6, '0'),
    spool: { directory: join(root, slot), ...options.spool },
    settings: { batchIntervalMs: 5, ...options.settings },
  });
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

  it('keeps at the shutdown deadline what is not written, and writes it after the next start', async () => {
    const { pipeline, sink } = await leave(numbers(0, 10));
    const report = await pipeline.drain(Date.now() + 50);
    expect(report).toEqual({ pipeline: 'test', written: 0, left: 10, kept: 10 });
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
