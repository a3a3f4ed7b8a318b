import { describe, expect, it } from '@jest/globals';
import { deadLetters, type Batch, type Reject, type Settlement } from '../api/index.js';
import { numbers, testBatch, until } from '../testing/index.js';
import { createPipelineHarness, type PipelineHarness } from '../testing/pipeline-harness.js';
import { createPipeline, type PipelineCounts } from './index.js';

interface Outcome extends PipelineHarness {
  readonly settlements: readonly Settlement[];
  readonly counts: PipelineCounts;
}

/** Sends batches through a pipeline and drains it. */
async function send(
  batches: readonly Batch[],
  change: (harness: PipelineHarness) => void = () => undefined,
  sinks: 1 | 2 = 1,
): Promise<Outcome> {
  const harness = createPipelineHarness({ sinks });
  change(harness);
  const pipeline = createPipeline(harness.options);
  await pipeline.start(new AbortController().signal);
  for (const batch of batches) await harness.source.emit(batch);
  await pipeline.drain(Date.now() + 5_000);
  const settlements = await Promise.all(batches.map(({ settled }) => settled));
  return { ...harness, settlements, counts: pipeline.status().counts };
}

function reject(raw: Uint8Array): Reject {
  return { stage: 'frame', code: 'not_utf8', field: '', message: 'The line is no UTF-8.', raw };
}

describe('processing', () => {
  it('makes dead letters of rejects, those of the source included', async () => {
    const bytes = Buffer.from([0x7b, 0xff, 0x7d]);
    const { sink, settlements, counts } = await send([
      testBatch([1, -2], { rejects: [reject(bytes), reject(Buffer.from('größe'))] }),
    ]);
    expect(settlements).toEqual([{ delivered: 1, deadLettered: 3, dropped: 0 }]);
    expect(counts.deadLettersByCode).toEqual({ not_utf8: 2, negative_id: 1 });
    const letters = sink.letters();
    expect(Object.keys(letters[0]!)).toEqual([...Object.keys(deadLetters.fields), 'entryId']);
    expect(letters[0]).toMatchObject({
      pipeline: 'test',
      stage: 'frame',
      code: 'not_utf8',
      message: 'The line is no UTF-8.',
      raw: bytes.toString('base64'),
      raw_encoding: 'base64',
      replayed_at: null,
      event_type: '',
    });
    expect(letters[1]).toMatchObject({ raw: 'größe', raw_encoding: 'utf8' });
    expect(letters[2]).toMatchObject({
      stage: 'validate',
      code: 'negative_id',
      field: '/id',
      raw: '{"id":-2}',
    });
  });

  it('makes dead letters of events that no parser takes, with one log line a batch and nothing of the event', async () => {
    const ids = numbers(0, 30);
    const { sink, logger, counts } = await send([
      testBatch(ids, { type: (i) => (i < 20 ? 'Secret' : 'Alpha') }),
    ]);
    expect(counts.deadLettersByCode).toEqual({ unknown_type: 20 });
    expect(sink.ids()).toEqual(numbers(20, 10));
    expect(sink.letters()[0]).toMatchObject({ stage: 'parse', field: '' });
    const lines = logger.lines.filter(({ level }) => level === 'warn');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      message: 'No parser for event type; events are dead letters',
      fields: { count: 20 },
    });
    expect(JSON.stringify(lines)).not.toContain('Secret');
  });

  it('makes a dead letter without a raw message of an event that a step has copied without one', async () => {
    const batch = testBatch([1, -2]);
    batch.events = batch.events.map((event) => ({ ...event, raw: undefined as never }));
    const { sink, settlements } = await send([batch]);
    expect(settlements).toEqual([{ delivered: 1, deadLettered: 1, dropped: 0 }]);
    expect(sink.letters()[0]).toMatchObject({ code: 'negative_id', raw: '', raw_encoding: 'utf8' });
  });

  it('rejects the whole batch of a step that throws, whatever it had done to it', async () => {
    const { sink, settlements, logger } = await send([testBatch([1, 2, 3]), testBatch([4])], ({ parser }) => {
      parser.onApply = (batch) => {
        if (batch.events[0]!.value !== 1) return;
        batch.events.pop();
        batch.rejects.push(reject(Buffer.from('half done')));
        throw new Error('content of the event');
      };
    });
    expect(settlements).toEqual([
      { delivered: 0, deadLettered: 3, dropped: 0 },
      { delivered: 1, deadLettered: 0, dropped: 0 },
    ]);
    expect(sink.letters().map(({ code, raw }) => [code, raw])).toEqual([
      ['transform_failed', '{"id":1}'],
      ['transform_failed', '{"id":2}'],
      ['transform_failed', '{"id":3}'],
    ]);
    const told = logger.lines.filter(({ level }) => level !== 'debug');
    expect(told).toHaveLength(1);
    expect(JSON.stringify(told)).not.toContain('content of the event');
  });

  it('treats a step that makes events of its own as one that throws', async () => {
    const { settlements } = await send([testBatch([1, 2])], ({ parser }) => {
      parser.onApply = (batch) => void batch.events.push(...testBatch([3]).events);
    });
    expect(settlements).toEqual([{ delivered: 0, deadLettered: 2, dropped: 0 }]);
  });

  it('counts events that a step takes out without a reject as filtered', async () => {
    const { settlements, counts } = await send([testBatch([1, 2, 3])], ({ parser }) => {
      parser.onApply = (batch) => void (batch.events.length = 1);
    });
    expect(settlements).toEqual([{ delivered: 1, deadLettered: 0, filtered: 2, dropped: 0 }]);
    expect(counts).toMatchObject({ received: 3, delivered: 1, filtered: 2, dropped: 0, inFlight: 0 });
  });

  it('holds no events any more once they are encoded', async () => {
    const batch = testBatch([1, -2, 3]);
    const { source, options } = createPipelineHarness({ settings: { batchIntervalMs: 60_000 } });
    const pipeline = createPipeline(options);
    await pipeline.start(new AbortController().signal);
    await source.emit(batch);
    await until(() => pipeline.status().queue.rows === 3);
    expect(batch.size).toBe(0);
    await pipeline.drain(Date.now() + 1_000);
    await expect(batch.settled).resolves.toEqual({ delivered: 2, deadLettered: 1, dropped: 0 });
  });

  it('gives encoders the origins in runs that fit the records', async () => {
    const seen: unknown[] = [];
    const first = testBatch([1, 2, 3], { type: (i) => (i === 1 ? 'Beta' : 'Alpha') });
    const second = testBatch([4]);
    await send([first, second], ({ sink }) => {
      sink.onEncode = ({ type, runs }) =>
        void seen.push([type.name, runs.map(({ origin, count }) => [origin === first.origin, count])]);
    });
    expect(seen).toEqual([
      [
        'alpha_events',
        [
          [true, 2],
          [false, 1],
        ],
      ],
      ['beta_events', [[true, 1]]],
    ]);
  });
});

describe('a sink that cannot encode', () => {
  it('loses only the events that it cannot encode: they are dead letters', async () => {
    const { sink, settlements, counts, logger } = await send([testBatch(numbers(0, 60))], ({ sink: it }) => {
      it.onEncode = ({ records }) => {
        if (records.some(({ id }) => id === 7 || id === 33)) throw new TypeError('value 33 of the event');
      };
    });
    expect(settlements).toEqual([{ delivered: 58, deadLettered: 2, dropped: 0 }]);
    expect(counts.deadLettersByCode).toEqual({ encode_failed: 2 });
    expect(sink.letters().map(({ stage, raw }) => [stage, raw])).toEqual([
      ['sink', '{"id":7}'],
      ['sink', '{"id":33}'],
    ]);
    expect(new Set(sink.ids()).size).toBe(58);
    const told = logger.lines.filter(({ level }) => level !== 'debug');
    expect(told).toHaveLength(1);
    expect(told[0]!.fields).toMatchObject({ sink: 'main', count: 2, error: 'TypeError' });
    expect(JSON.stringify(told)).not.toContain('of the event');
  });

  it('does not keep the event from the other sink, and the event counts once', async () => {
    const { sinks, settlements, counts } = await send(
      [testBatch([1, 2])],
      ({ sinks: [, second] }) => {
        second!.onEncode = ({ records }) => {
          if (records.some(({ id }) => id === 2)) throw new Error('no');
        };
      },
      2,
    );
    expect(settlements).toEqual([{ delivered: 1, deadLettered: 1, dropped: 0 }]);
    expect(sinks.map((sink) => sink.ids())).toEqual([[1, 2], [1]]);
    expect(sinks[0]!.letters()).toHaveLength(1);
    expect(counts).toMatchObject({ received: 2, delivered: 1, deadLettered: 1, inFlight: 0 });
  });

  it('drops what cannot even be encoded as a dead letter, with a reason', async () => {
    const { settlements, logger } = await send([testBatch([1, -2, -3])], ({ sink }) => {
      sink.onEncode = ({ type, records }) => {
        if (type === deadLetters && records.some(({ raw }) => raw === '{"id":-2}')) throw new Error('no');
      };
    });
    expect(settlements).toEqual([
      { delivered: 1, deadLettered: 1, dropped: 1, reason: 'dead letter not encodable' },
    ]);
    expect(
      logger.lines.some(
        ({ level, message }) => level === 'error' && message === 'Failed to encode dead letters; dropped',
      ),
    ).toBe(true);
  });

  it('may return what is no entry', async () => {
    const { settlements } = await send([testBatch([1])], ({ sink }) => {
      const encode = sink.encode.bind(sink);
      sink.encode = (batch) => (batch.type === deadLetters ? encode(batch) : (undefined as never));
    });
    expect(settlements).toEqual([{ delivered: 0, deadLettered: 1, dropped: 0 }]);
  });
});
