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

describe('drain', () => {
  it('writes out what is there, the source stopped first, and says how much', async () => {
    const { source, sink, pipeline } = await start({ settings: { batchIntervalMs: 60_000 } });
    const batch = testBatch(numbers(0, 42));
    await source.emit(batch);
    const last = testBatch([99]);
    source.onStop = async () => void (await source.emit(last));
    await expect(pipeline.drain(Date.now() + 5_000)).resolves.toEqual({
      pipeline: 'test',
      written: 43,
      left: 0,
    });
    expect(sorted(sink.ids())).toEqual([...numbers(0, 42), 99]);
    expect(sink.calls).toEqual(['start', 'stop']);
    expect(pipeline.status().instances.map(({ state }) => state)).toEqual(['stopped', 'stopped', 'stopped']);
  });

  it('writes at once while the source stops, which may wait for what it gave to be safe', async () => {
    const { source, sink, pipeline } = await start({ settings: { batchIntervalMs: 60_000 } });
    const before = testBatch([1]);
    await source.emit(before);
    const last = testBatch([2]);
    let safe = 0;
    source.onStop = async () => {
      await source.emit(last);
      for (const { settled } of [before, last]) safe += (await settled).delivered;
    };
    const began = Date.now();
    await pipeline.drain(began + 20_000);
    expect([safe, sorted(sink.ids())]).toEqual([2, [1, 2]]);
    expect(Date.now() - began).toBeLessThan(5_000);
  });

  it('gives up at the deadline what cannot be written, with the reason', async () => {
    const { source, sink, pipeline } = await start({ settings: { batchIntervalMs: 5, bufferMaxEvents: 10 } });
    let aborted = false;
    sink.onWrite = (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          reject(new Error('aborted'));
        });
      });
    const batch = testBatch(numbers(0, 42));
    const room = source.emit(batch);
    const began = Date.now();
    await expect(pipeline.drain(began + 100)).resolves.toEqual({ pipeline: 'test', written: 0, left: 42 });
    expect(Date.now() - began).toBeLessThan(4_000);
    await expect(batch.settled).resolves.toEqual({
      delivered: 0,
      deadLettered: 0,
      dropped: 42,
      reason: 'shutdown deadline',
    });
    await room;
    expect(aborted).toBe(true);
    expect(pipeline.status().counts).toMatchObject({ received: 42, dropped: 42, inFlight: 0 });
    expect(pipeline.status().queue).toEqual({ entries: 0, rows: 0, bytes: 0, oldestMs: 0 });
  });

  it('is the same drain when it is called again', async () => {
    const { source, pipeline } = await start();
    await source.emit(testBatch([1]));
    const [one, two] = await Promise.all([pipeline.drain(Date.now() + 1_000), pipeline.drain(Date.now())]);
    expect(one).toEqual({ pipeline: 'test', written: 1, left: 0 });
    expect(two).toEqual(one);
    expect(source.calls).toEqual(['start', 'stop']);
  });

  it('refuses what comes afterwards, and accounts for it', async () => {
    const { source, pipeline } = await start();
    await pipeline.drain(Date.now() + 1_000);
    const batch = testBatch([1, 2]);
    await expect(source.emit(batch)).rejects.toMatchObject({ code: 'PIPELINE_STOPPED' });
    await expect(batch.settled).resolves.toMatchObject({ dropped: 2, reason: 'given after the stop' });
    expect(pipeline.status().counts).toMatchObject({ received: 2, dropped: 2, inFlight: 0 });
  });

  it('works without a start, and forbids a later one', async () => {
    const { options, source, sink } = createPipelineHarness();
    const pipeline = createPipeline(options);
    await expect(pipeline.drain(Date.now())).resolves.toEqual({ pipeline: 'test', written: 0, left: 0 });
    await expect(pipeline.start(new AbortController().signal)).rejects.toMatchObject({
      code: 'PIPELINE_STARTED_TWICE',
    });
    expect([source.calls, sink.calls]).toEqual([[], []]);
  });

  it('ends a start that is under way', async () => {
    const { options, sink, source } = createPipelineHarness();
    sink.onStart = () => new Promise(() => undefined);
    const pipeline = createPipeline(options);
    const started = pipeline.start(new AbortController().signal);
    const failed = expect(started).rejects.toMatchObject({ code: 'START_ABORTED' });
    await until(() => sink.calls.length > 0);
    await pipeline.drain(Date.now() + 100);
    await failed;
    expect(sink.calls).toEqual(['start', 'stop']);
    expect(source.calls).toEqual([]);
  });

  it('is not held up by instances that do not stop', async () => {
    const { source, sink, pipeline, logger } = await start();
    source.onStop = () => Promise.reject(new Error('no'));
    sink.onStop = () => new Promise(() => undefined);
    const began = Date.now();
    await pipeline.drain(began + 50);
    expect(Date.now() - began).toBeLessThan(4_500);
    expect(logger.lines.map(({ message }) => message)).toEqual(
      expect.arrayContaining(['Failed to stop the instance cleanly', 'Instance did not stop in time']),
    );
  });
});
