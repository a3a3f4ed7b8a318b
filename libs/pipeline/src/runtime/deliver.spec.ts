import { afterEach, describe, expect, it } from '@jest/globals';
import {
  PartialWriteError,
  PermanentError,
  RetryableError,
  type Endpoint,
  type RejectedRow,
  type Sink,
} from '../api/index.js';
import { numbers, testBatch, testOrigin, until, type FakeWrite } from '../testing/index.js';
import {
  createPipelineHarness,
  type PipelineHarness,
  type PipelineHarnessOptions,
} from '../testing/pipeline-harness.js';
import { createPipeline, type InstanceStatus, type Pipeline } from './index.js';

const running: Pipeline[] = [];

afterEach(async () => {
  for (const pipeline of running.splice(0)) await pipeline.drain(Date.now());
});

type Started = PipelineHarness & { readonly pipeline: Pipeline; readonly sinkStatus: () => InstanceStatus };

async function start(options: PipelineHarnessOptions = {}): Promise<Started> {
  const harness = createPipelineHarness({
    ...options,
    settings: { batchIntervalMs: 5, ...options.settings },
  });
  const pipeline = createPipeline(harness.options);
  running.push(pipeline);
  await pipeline.start(new AbortController().signal);
  const sinkStatus = (): InstanceStatus => pipeline.status().instances.find(({ id }) => id === 'test/main')!;
  return { ...harness, pipeline, sinkStatus };
}

/** Fails the first so many attempts. */
function failing(error: () => Error, times: number): (write: FakeWrite) => Promise<void> {
  let left = times;
  return async () => {
    left -= 1;
    if (left >= 0) throw error();
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const busy = (): Error => new RetryableError('The server is busy.', '202 TOO_MANY_SIMULTANEOUS_QUERIES');

describe('a write that fails', () => {
  it.each([
    ['a RetryableError', busy],
    ['an error of no known class', () => new TypeError('oops')],
  ])('by %s is repeated: the same bytes under the same token', async (_, error) => {
    const { source, sink, sinkStatus } = await start();
    sink.onWrite = failing(error, 2);
    const batch = testBatch(numbers(0, 20));
    await source.emit(batch);
    await batch.settled;
    expect(sink.attempts).toHaveLength(3);
    const [first, ...others] = sink.attempts.map(({ token, text }) => ({ token, text }));
    expect(others).toEqual([first, first]);
    expect(sink.ids()).toHaveLength(20);
    expect(sinkStatus()).not.toHaveProperty('reason');
  });

  it('is shown with its reason and code until it succeeds, and logged when it begins and ends', async () => {
    const { source, sink, sinkStatus, logger, metrics } = await start();
    sink.onWrite = failing(busy, 2);
    const batch = testBatch([1]);
    await source.emit(batch);
    await until(() => sinkStatus().state === 'degraded');
    expect(sinkStatus().reason).toBe('202 TOO_MANY_SIMULTANEOUS_QUERIES: The server is busy.');
    await batch.settled;
    expect(sinkStatus().state).toBe('ok');
    const lines = logger.lines.filter(({ level }) => level !== 'debug');
    expect(lines.map(({ level, message }) => [level, message])).toEqual([
      ['warn', 'Write failed; retrying'],
      ['info', 'Sink recovered'],
    ]);
    expect(lines[0]!.fields).toMatchObject({ component: 'test/main', destination: 'alpha_events', rows: 1 });
    const labels = { pipeline: 'test', sink: 'main' };
    expect(metrics.value('gateway_sink_writes_total', { ...labels, outcome: 'retryable' })).toBe(2);
    expect(metrics.value('gateway_sink_writes_total', { ...labels, outcome: 'ok' })).toBe(1);
  });

  it('is not repeated before the time that the destination asks for', async () => {
    const { source, sink } = await start();
    sink.onWrite = failing(() => new RetryableError('Later.', '429', 400), 1);
    const batch = testBatch([1]);
    await source.emit(batch);
    await batch.settled;
    expect(sink.attempts[1]!.at - sink.attempts[0]!.at).toBeGreaterThanOrEqual(395);
  });

  it('by a PermanentError is kept, shown as failed, and repeated at once when the endpoints change', async () => {
    const { source, sink, sinkStatus, services, pipeline, logger } = await start();
    sink.onWrite = failing(() => new PermanentError('The table is missing.', '60 UNKNOWN_TABLE'), 1);
    const batch = testBatch([1]);
    await source.emit(batch);
    await until(() => sinkStatus().state === 'failed');
    expect(sinkStatus().reason).toBe('60 UNKNOWN_TABLE: The table is missing.');
    await pause(500);
    expect(sink.attempts).toHaveLength(1);
    expect(pipeline.status().counts).toMatchObject({ dropped: 0, inFlight: 1 });
    services.endpoints.set(new Map<string, Endpoint>());
    await batch.settled;
    expect(sink.attempts[1]!.token).toBe(sink.attempts[0]!.token);
    expect(sinkStatus().state).toBe('ok');
    expect(logger.lines.find(({ level }) => level === 'error')!.fields.code).toBe('60 UNKNOWN_TABLE');
  });

  it('holds its destination, whose entries gather, and no other', async () => {
    const { source, sink, services } = await start();
    let missing = true;
    sink.onWrite = async ({ destination }) => {
      if (missing && destination === 'alpha_events') throw new PermanentError('Missing.', '60');
    };
    const first = testBatch([1]);
    await source.emit(first);
    await until(() => sink.attempts.length === 1);
    const held: Promise<unknown>[] = [first.settled];
    for (let id = 2; id < 8; id += 1) {
      const beta = testBatch([id * 100], { type: () => 'Beta' });
      const alpha = testBatch([id]);
      held.push(alpha.settled);
      await source.emit(alpha);
      await source.emit(beta);
      await beta.settled;
    }
    expect(sink.attempts.filter(({ destination }) => destination === 'alpha_events')).toHaveLength(1);
    missing = false;
    services.endpoints.set(new Map<string, Endpoint>());
    await Promise.all(held);
    const alphas = sink.writes.filter(({ destination }) => destination === 'alpha_events');
    expect(alphas.map(({ rows }) => rows)).toEqual([1, 6]);
  });

  it('by a PartialWriteError is kept too, but lets others of its destination pass', async () => {
    const { source, sink, sinkStatus, services } = await start();
    sink.onWrite = failing(() => new PartialWriteError('Row 0 is refused.', '53', [0]), 1);
    const first = testBatch([1]);
    await source.emit(first);
    await until(() => sinkStatus().state === 'failed');
    const second = testBatch([2]);
    await source.emit(second);
    await second.settled;
    expect(sinkStatus().state).toBe('failed');
    services.endpoints.set(new Map<string, Endpoint>());
    await first.settled;
    expect(sinkStatus().state).toBe('ok');
  });

  it('gives its writer to others while it waits', async () => {
    const { source, sink } = await start({ settings: { sinkWriters: 1 } });
    sink.onWrite = async ({ destination }) => {
      if (destination === 'alpha_events') throw busy();
    };
    await source.emit(testBatch([1]));
    await until(() => sink.attempts.length > 0);
    const beta = testBatch([2], { type: () => 'Beta' });
    await source.emit(beta);
    await beta.settled;
  });
});

describe('a sink that recovers refused rows', () => {
  const refusal = (): Error => new PartialWriteError('Row 3 is refused.', '469 VIOLATED_CONSTRAINT', [3]);
  const codes = new Map([
    ['violated_constraint', 2],
    ['cannot_parse_text', 1],
  ]);
  const row = (id: number, code: string): RejectedRow => ({
    code,
    sinkCode: code,
    field: '/id',
    message: 'No.',
    raw: JSON.stringify({ id }),
    origin: testOrigin(id),
    receivedAt: 1_000 + id,
    entry: 0,
  });
  const rejected = [
    row(3, 'violated_constraint'),
    row(4, 'cannot_parse_text'),
    row(5, 'violated_constraint'),
  ];

  it('ends every event once: as delivered or as a dead letter', async () => {
    const { source, sink, sinkStatus, pipeline, metrics, logger } = await start();
    sink.onWrite = failing(refusal, 1);
    (sink as Sink).recover = async () => ({ found: [], rejected });
    const batch = testBatch(numbers(0, 20));
    await source.emit(batch);
    await until(() => pipeline.status().counts.inFlight === 0);
    expect(pipeline.status().counts).toMatchObject({
      received: 20,
      delivered: 17,
      deadLettered: 3,
      dropped: 0,
      deliveredByType: { alpha_events: 17 },
      deadLettersByCode: Object.fromEntries(codes),
    });
    expect(sinkStatus().state).toBe('ok');
    await until(() => sink.letters().length === 3);
    expect(sink.letters()[1]).toEqual({
      pipeline: 'test',
      stage: 'sink',
      code: 'cannot_parse_text',
      field: '/id',
      message: 'No.',
      raw: '{"id":4}',
      raw_encoding: 'row',
      replayed_at: null,
      event_type: 'alpha',
      destination: 'alpha_events',
      entryId: expect.any(String),
    });
    expect(metrics.value('gateway_sink_rows_total', { pipeline: 'test', sink: 'main' })).toBe(20);
    const labels = { pipeline: 'test', code: 'violated_constraint' };
    expect(metrics.value('gateway_dead_letters_total', labels)).toBe(2);
    expect(logger.lines.find(({ level }) => level === 'warn')!.fields).toMatchObject({
      refused: 3,
      codes: Object.fromEntries(codes),
    });
  });

  it('counts later events as delivered again', async () => {
    const { source, sink, pipeline } = await start();
    sink.onWrite = failing(refusal, 1);
    (sink as Sink).recover = async () => ({ found: [], rejected });
    for (const ids of [numbers(0, 20), numbers(20, 20)]) {
      const batch = testBatch(ids);
      await source.emit(batch);
      await batch.settled;
    }
    await until(() => pipeline.status().counts.inFlight === 0);
    expect(pipeline.status().counts).toMatchObject({ received: 40, delivered: 37, deadLettered: 3 });
  });

  it('is asked again until it succeeds', async () => {
    const { source, sink, sinkStatus, pipeline } = await start();
    sink.onWrite = failing(refusal, 1);
    let left = 2;
    (sink as Sink).recover = async () => {
      left -= 1;
      if (left >= 0) throw busy();
      return { found: [], rejected };
    };
    await source.emit(testBatch(numbers(0, 20)));
    await until(() => sinkStatus().state === 'degraded');
    await until(() => pipeline.status().counts.inFlight === 0);
    expect(sink.attempts.filter(({ destination }) => destination === 'alpha_events')).toHaveLength(1);
    expect(pipeline.status().counts).toMatchObject({ delivered: 17, deadLettered: 3 });
    expect(sinkStatus().state).toBe('ok');
  });
});
