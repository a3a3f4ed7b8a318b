import { describe, expect, it } from '@jest/globals';
import type { Lifecycle } from '../api/index.js';
import { createTestContext } from '../testing/index.js';
import { createPipelineHarness } from '../testing/pipeline-harness.js';
import { createPipeline } from './index.js';
import type { Instance } from './instances.js';
import { startAll, stopAll, type Startable } from './lifecycle.js';
import { InstanceStatusTracker } from './status.js';

function startable(id: string, plugin: Lifecycle): Startable {
  const board = new InstanceStatusTracker(id, 'sinks.x', Date.now);
  const instance: Instance<Lifecycle> = { name: id, plugin, board, context: createTestContext({ id }) };
  return { instance, start: (signal) => plugin.start?.(signal) };
}

const never = (): Promise<void> => new Promise(() => undefined);

describe('startAll', () => {
  it('starts one after the other and lets instances without a start pass', async () => {
    const order: string[] = [];
    const slow = startable('p/slow', {
      start: async () => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        order.push('slow');
      },
    });
    const plain = startable('p/plain', {});
    const fast = startable('p/fast', { start: async () => void order.push('fast') });
    await startAll([slow, plain, fast], new AbortController().signal);
    expect(order).toEqual(['slow', 'fast']);
    expect([slow, plain, fast].map(({ instance }) => instance.board.status().state)).toEqual([
      'ok',
      'ok',
      'ok',
    ]);
  });

  it('names the instance that takes too long, and aborts it', async () => {
    let aborted = false;
    const hanging = startable('p/hanging', {
      start: (signal) => {
        signal.addEventListener('abort', () => (aborted = true));
        return never();
      },
    });
    await expect(startAll([hanging], new AbortController().signal, 20)).rejects.toMatchObject({
      code: 'INSTANCE_START_TIMEOUT',
      message: 'The instance p/hanging did not start within 0.02 seconds.',
    });
    expect(aborted).toBe(true);
  });

  it('does not abort the signal of an instance that has started', async () => {
    const signals: AbortSignal[] = [];
    const outer = new AbortController();
    const good = startable('p/good', { start: async (signal) => void signals.push(signal) });
    await startAll([good], outer.signal, 10);
    outer.abort();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(signals[0]!.aborted).toBe(false);
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('port in use'))],
    [
      'throws',
      () => {
        throw new Error('port in use');
      },
    ],
  ])('says which instance failed and why, when it %s', async (_, start) => {
    await expect(
      startAll([startable('p/bad', { start })], new AbortController().signal),
    ).rejects.toMatchObject({
      name: 'GatewayError',
      code: 'INSTANCE_START_FAILED',
      message: 'The instance p/bad could not start: port in use',
    });
  });

  it('starts nothing when it was called off before', async () => {
    let started = false;
    const one = startable('p/one', { start: async () => void (started = true) });
    await expect(startAll([one], AbortSignal.abort())).rejects.toMatchObject({ code: 'START_ABORTED' });
    expect(started).toBe(false);
  });
});

describe('stopAll', () => {
  it('stops all, whatever single ones do', async () => {
    const { logger } = createPipelineHarness();
    const all = [
      startable('p/failing', { stop: () => Promise.reject(new Error('no')) }),
      startable('p/plain', {}),
      startable('p/last', { stop: async () => undefined }),
    ].map(({ instance }) => instance);
    await stopAll(all, Date.now() + 50, Date.now, logger);
    expect(all.map(({ board }) => board.status().state)).toEqual(['stopped', 'stopped', 'stopped']);
    expect(logger.lines).toHaveLength(1);
    expect(logger.lines[0]).toMatchObject({ level: 'error', fields: { instance: 'p/failing' } });
  });
});

describe('Pipeline.start', () => {
  it('starts the sink before the source', async () => {
    const { options, sink, source } = createPipelineHarness();
    const order: string[] = [];
    sink.onStart = async () => void order.push('sink');
    source.onStart = async () => void order.push('source');
    const pipeline = createPipeline(options);
    expect(pipeline.status().instances.map(({ state }) => state)).toEqual([
      'starting',
      'starting',
      'starting',
    ]);
    await pipeline.start(new AbortController().signal);
    expect(order).toEqual(['sink', 'source']);
    expect(pipeline.status().instances).toMatchObject([
      { id: 'test/source', plugin: 'sources.fake', state: 'ok' },
      { id: 'test/parser', plugin: 'parsers.fake', state: 'ok' },
      { id: 'test/main', plugin: 'sinks.main', state: 'ok' },
    ]);
    await pipeline.drain(Date.now());
  });

  it('stops in reverse what had started when one fails, that one included', async () => {
    const { options, sinks, source } = createPipelineHarness({ sinks: 2 });
    const order: string[] = [];
    for (const [i, sink] of sinks.entries()) sink.onStop = async () => void order.push(`sink ${i}`);
    source.onStart = () => Promise.reject(new Error('port in use'));
    source.onStop = async () => void order.push('source');
    const pipeline = createPipeline(options);
    await expect(pipeline.start(new AbortController().signal)).rejects.toMatchObject({
      code: 'INSTANCE_START_FAILED',
      message: 'The instance test/source could not start: port in use',
    });
    expect(order).toEqual(['source', 'sink 1', 'sink 0']);
    await expect(pipeline.drain(Date.now())).resolves.toMatchObject({ left: 0 });
    expect(order).toHaveLength(3);
  });

  it('does not stop what was not started', async () => {
    const { options, sinks, source } = createPipelineHarness({ sinks: 2 });
    sinks[0]!.onStart = () => Promise.reject(new Error('no'));
    const pipeline = createPipeline(options);
    await expect(pipeline.start(new AbortController().signal)).rejects.toThrow('test/main');
    expect([sinks[0]!.calls, sinks[1]!.calls, source.calls]).toEqual([['start', 'stop'], [], []]);
    expect(pipeline.status().instances.map(({ state }) => state)).toEqual(Array(4).fill('stopped'));
  });
});
