import { describe, expect, it } from '@jest/globals';
import { Subject } from 'rxjs';
import { Batch, deadLetters, type Reject, type StreamRange } from '../api/index.js';
import { createRecordingLogger, FakeParser, FakeSink, testBatch } from '../testing/index.js';
import { bufferEvents, type ProcessingBatch } from './buffer-events.js';
import type { BatchTracker } from './batch-tracker.js';
import { PendingBatch } from './pending-batch.js';
import { undecodedReason } from './record-groups.js';
import { Processor } from './processing.js';
import type { EntryQueue, QueueItem, StreamStore } from './queue.js';

const reject: Reject = { stage: 'frame', code: 'x', field: '', message: '', raw: Buffer.from('x') };

function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

/** A batch of messages `first` to `last` of a stream; `rejects` of them are refused. */
function streamBatch(first: number, last: number, rejects = 0, stream = 's'): Batch {
  const ids = Array.from({ length: last - first + 1 - rejects }, (_, i) => first + i);
  const { origin, receivedAt, events } = testBatch(ids);
  return new Batch(origin, receivedAt, 10, events, Array<Reject>(rejects).fill(reject), {
    stream,
    first,
    last,
  });
}

function cutInto(batches: readonly Batch[], size: number): ProcessingBatch[] {
  const input = new Subject<ProcessingBatch[number]>();
  const out: ProcessingBatch[] = [];
  input.pipe(bufferEvents(() => ({ events: size, lingerMs: 10_000 }))).subscribe((batch) => out.push(batch));
  for (const batch of batches) input.next({ batch, pendingBatch: new PendingBatch(batch, () => undefined) });
  input.complete();
  return out;
}

describe('bufferEvents with streams', () => {
  it('numbers the pieces of a batch that is cut', () => {
    const pieces = cutInto([streamBatch(1, 25), streamBatch(26, 30)], 10).flat();
    expect(pieces.map(({ batch }) => [batch.stream?.first, batch.stream?.last])).toEqual([
      [1, 10],
      [11, 20],
      [21, 25],
      [26, 30],
    ]);
    for (const { batch } of pieces) {
      expect(batch.events.map(({ value }) => value)[0]).toBe(batch.stream?.first);
    }
  });

  it('does not cut a batch with rejects, whose pieces would be no range of the stream', () => {
    const [first] = cutInto([streamBatch(1, 25, 3)], 10);
    expect(first!.map(({ batch }) => [batch.size, batch.stream])).toEqual([
      [25, { stream: 's', first: 1, last: 25 }],
    ]);
  });
});

interface Control {
  /** The queue takes no entries. */
  refuse: boolean;
  /** The queue fails altogether. */
  broken: boolean;
  /** Resolves when ranges are on disk. */
  remembered: Promise<void>;
}

/** What the queue of a processor was told, each step as what is stored at once. */
async function process(
  batches: readonly Batch[],
  change: (sink: FakeSink, parser: FakeParser, queue: Control) => void = () => undefined,
): Promise<{ rows: number; ranges: readonly StreamRange[] }[]> {
  const steps: { rows: number; ranges: readonly StreamRange[] }[] = [];
  const control: Control = { refuse: false, broken: false, remembered: Promise.resolve() };

  let rows = 0;
  const append = (items: readonly QueueItem[]) => {
    if (control.refuse) throw new Error('no');
    rows += items.reduce((sum, { entry }) => sum + entry.rows, 0);
    const done = Promise.resolve();
    return { accepted: done, safe: done, written: done };
  };
  const streams: StreamStore = {
    durable: () => Promise.resolve([]),
    atomically: (work) => {
      if (control.broken) throw new Error('no');
      rows = 0;
      const ranges = work();
      steps.push({ rows, ranges });
      return control.remembered;
    },
  };
  const queue: Pick<EntryQueue, 'append' | 'streams'> = { append, streams };
  const drop: BatchTracker['drop'] = (pendingCounts, reason) =>
    pendingCounts.forEach(({ pendingBatch, count }) => pendingBatch.add('dropped', count, reason));
  const [sink, parser] = [new FakeSink(), new FakeParser()];
  change(sink, parser, control);
  const encoder = { name: 'main', plugin: sink };
  const processor = new Processor({
    undecoded: undecodedReason({}),
    pipeline: 'test',
    steps: [{ name: 'parser', plugin: parser }],
    sinks: [encoder],
    deadLetters: encoder,
    idPrefix: 'gw/1',
    queue,
    tracker: {
      follow: ({ outcome, pendingCounts }, appended) =>
        void Promise.all(appended.map(({ safe }) => safe)).then(
          () => pendingCounts.forEach(({ pendingBatch, count }) => pendingBatch.add(outcome, count)),
          () => drop(pendingCounts, 'lost by the queue'),
        ),
      drop,
    },
    sinkBatchRows: () => 1_000,
    logger: createRecordingLogger(),
  });
  for (const parts of cutInto(batches, 100)) await processor.process(parts);
  processor.flush();
  return steps;
}

describe('processing with streams', () => {
  it('stores events, dead letters and the ranges they came from in one step', async () => {
    const other = streamBatch(1, 5, 0, 't');
    const steps = await process([streamBatch(1, 10, 2), testBatch([99]), other]);
    expect(steps).toEqual([
      {
        rows: 16,
        ranges: [
          { stream: 's', first: 1, last: 10 },
          { stream: 't', first: 1, last: 5 },
        ],
      },
    ]);
  });

  it('leaves out a range of which something was dropped, and only that', async () => {
    const unwritable = await process([streamBatch(1, 5, 1), streamBatch(6, 9, 0, 't')], (sink) => {
      sink.onEncode = ({ type }) => {
        if (type === deadLetters) throw new Error('no');
      };
    });
    expect(unwritable[0]!.ranges).toEqual([{ stream: 't', first: 6, last: 9 }]);
  });

  it('remembers the range of events that a step removes, also when nothing is left to write', async () => {
    const batches = [streamBatch(1, 5), streamBatch(6, 9, 0, 't')];
    const steps = await process(batches, (_sink, parser) => {
      parser.onApply = (batch) => void (batch.events.length = batch.stream?.stream === 's' ? 0 : 3);
    });
    expect(steps).toEqual([{ rows: 3, ranges: batches.map(({ stream }) => stream) }]);
    expect(await Promise.all(batches.map(({ settled }) => settled))).toEqual([
      { delivered: 0, deadLettered: 0, filtered: 5, dropped: 0 },
      { delivered: 3, deadLettered: 0, filtered: 1, dropped: 0 },
    ]);
    const nothing = await process([streamBatch(1, 5)], (_sink, parser) => {
      parser.onApply = (batch) => void (batch.events.length = 0);
    });
    expect(nothing).toEqual([{ rows: 0, ranges: [{ stream: 's', first: 1, last: 5 }] }]);
  });

  it('settles what a step removes only when its range is on disk', async () => {
    const batch = streamBatch(1, 5);
    let settled = false;
    void batch.settled.then(() => (settled = true));
    const { promise, resolve } = withResolvers();
    await process([batch], (_sink, parser, queue) => {
      parser.onApply = ({ events }) => void (events.length = 0);
      queue.remembered = promise;
    });
    await new Promise((done) => setImmediate(done));
    expect(settled).toBe(false);
    resolve();
    expect(await batch.settled).toMatchObject({ filtered: 5 });
  });

  it('drops what a step removes when the queue refuses the events that came with it', async () => {
    const batch = streamBatch(1, 5);
    const steps = await process([batch], (_sink, parser, queue) => {
      parser.onApply = ({ events }) => void (events.length = 4);
      queue.refuse = true;
    });
    expect(steps).toEqual([{ rows: 0, ranges: [] }]);
    expect(await batch.settled).toMatchObject({ dropped: 5, reason: 'lost by the queue' });
  });

  it('encodes batches that come together as one, of as many rows as an entry may have', async () => {
    const batches = Array.from({ length: 23 }, (_, n) => streamBatch(n * 50 + 1, n * 50 + 50));
    const steps = await process(batches);
    expect(steps.map(({ rows }) => rows)).toEqual([1_000, 150]);
    expect(steps.map(({ ranges }) => [ranges[0]?.first, ranges.at(-1)?.last])).toEqual([
      [1, 1_000],
      [1_001, 1_150],
    ]);
  });

  it('stores what a sink cannot encode in the same step, and of several batches only that is a dead letter', async () => {
    const batches = [streamBatch(1, 50), streamBatch(51, 100), streamBatch(101, 150)];
    const steps = await process(batches, (sink) => {
      sink.onEncode = ({ records }) => {
        if (records.some(({ id }) => id === 70)) throw new Error('no');
      };
    });
    expect(steps).toEqual([{ rows: 150, ranges: batches.map(({ stream }) => stream) }]);
  });

  it('drops what cannot be ended, with a line of the log, and remembers no range of it', async () => {
    const batch = streamBatch(1, 5);
    const steps = await process([batch], (sink) => {
      sink.open = () => ({
        add: () => undefined,
        undo: () => undefined,
        finish: () => {
          throw new Error('content of the event');
        },
      });
    });
    expect(steps).toEqual([{ rows: 0, ranges: [] }]);
    expect(await batch.settled).toMatchObject({ dropped: 5, reason: 'internal error' });
  });

  it('encodes by itself what comes while a sink begins no entry', async () => {
    const steps = await process([streamBatch(1, 5)], (sink) => {
      const open = sink.open.bind(sink);
      sink.open = () => {
        sink.open = open;
        throw new Error('no');
      };
    });
    expect(steps).toEqual([{ rows: 5, ranges: [{ stream: 's', first: 1, last: 5 }] }]);
  });

  it('remembers nothing of what the queue refused', async () => {
    const steps = await process([streamBatch(1, 5)], (_sink, _parser, queue) => (queue.refuse = true));
    expect(steps).toEqual([{ rows: 0, ranges: [] }]);
  });

  it('drops what was gathered, and goes on, when the queue breaks its word', async () => {
    const batches = [streamBatch(1, 5), streamBatch(6, 9)];
    const steps = await process(batches, (_sink, _parser, queue) => (queue.broken = true));
    expect(steps).toEqual([]);
    const settled = await Promise.all(batches.map((batch) => batch.settled));
    expect(settled.map(({ dropped }) => dropped)).toEqual([5, 4]);
  });
});
