import { describe, expect, it } from '@jest/globals';
import type { Block, EncodedEntry, EventRecord, RecordBatch, Sink } from '../api/index.js';
import { alphaEvents, FakeSink, numbers, testBatch } from '../testing/index.js';
import { PendingBatch } from './pending-batch.js';
import { OpenGroup } from './encode.js';
import type { RecordGroup } from './record-groups.js';

function group(ids: readonly number[], receivedAt = 5): RecordGroup {
  const batch = testBatch(ids, { receivedAt });
  const records: EventRecord[] = ids.map((id) => ({ id }));
  const run = { origin: batch.origin, receivedAt, pendingBatch: new PendingBatch(batch, () => undefined) };
  return { type: alphaEvents, records, sources: batch.events, runs: [{ ...run, count: ids.length }] };
}

/** A sink that joins ids itself, as one whose entries are opened. */
class OpeningSink extends FakeSink {
  readonly made: string[] = [];
  onAdd: (batch: RecordBatch) => void = () => undefined;
  onTakeBack: () => void = () => undefined;

  override open(): Block {
    const batches: string[][] = [];
    return {
      add: (batch) => {
        batches.push([]);
        for (const record of batch.records) {
          batches.at(-1)!.push(JSON.stringify(record.id));
          this.onAdd({ ...batch, records: [record] });
        }
      },
      undo: () => {
        this.onTakeBack();
        batches.pop();
      },
      finish: (entryId): EncodedEntry => {
        this.made.push(entryId);
        return { destination: 'd', bytes: Buffer.from(batches.flat().join()), rows: batches.flat().length };
      },
    };
  }
}

function open(...sinks: Sink[]): OpenGroup {
  const encoders = sinks.map((plugin, index) => ({ name: `sink ${index}`, plugin }));
  return new OpenGroup(alphaEvents, encoders, 'gw/1');
}

const failingAt =
  (bad: number) =>
  ({ records }: RecordBatch): void => {
    if (records.some(({ id }) => id === bad)) throw new TypeError(`no ${bad}`);
  };

describe('OpenGroup', () => {
  it('makes one entry a sink of all that was added, under the id that it is finished with', () => {
    const [opening, plain] = [new OpeningSink(), new FakeSink()];
    const made = open(opening, plain);
    for (const [index, ids] of [[1, 2], [3], [4, 5]].entries())
      expect(made.add(group(ids, 7 - index))).toBe(true);
    const items = made.finish();
    expect(items.map(({ sink, receivedAt, entry }) => [sink, receivedAt, entry.rows])).toEqual([
      ['sink 0', 5, 5],
      ['sink 1', 5, 5],
    ]);
    expect(opening.made).toEqual([`gw/1/${items[0]!.sequence}`]);
    expect(Buffer.from(items[0]!.entry.bytes).toString()).toBe('1,2,3,4,5');
    const lines = Buffer.from(items[1]!.entry.bytes).toString().trimEnd().split('\n');
    const entryId = `gw/1/${items[1]!.sequence}`;
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
      numbers(1, 5).map((id) => ({ id, entryId })),
    );
    expect(items[0]!.sequence < items[1]!.sequence).toBe(true);
  });

  it.each([0, 1])('takes a batch back from all sinks when sink %i cannot encode it', (bad) => {
    const sinks = [new OpeningSink(), new OpeningSink()];
    const made = open(...sinks);
    made.add(group([1]));
    sinks[bad]!.onAdd = failingAt(3);
    expect(made.add(group([2, 3]))).toBe(false);
    expect(made.add(group([4]))).toBe(true);
    const items = made.finish();
    expect(items.map(({ entry }) => Buffer.from(entry.bytes).toString())).toEqual(['1,4', '1,4']);
    expect([made.rows, made.runs.map(({ count }) => count)]).toEqual([2, [1, 1]]);
  });

  it('takes a batch back from a sink that encodes batches only', () => {
    const [plain, opening] = [new FakeSink(), new OpeningSink()];
    const made = open(plain, opening);
    made.add(group([1]));
    opening.onAdd = failingAt(2);
    expect(made.add(group([2]))).toBe(false);
    plain.onEncode = failingAt(3);
    expect(made.add(group([3]))).toBe(false);
    made.add(group([4]));
    const items = made.finish();
    expect(items.map(({ entry }) => entry.rows)).toEqual([2, 2]);
  });

  it('takes no batch that a sink makes no bytes of', () => {
    const sink = new FakeSink();
    const made = open(sink);
    made.add(group([1]));
    sink.encode = () => undefined as never;
    expect(made.add(group([3]))).toBe(false);
    expect(made.finish().map(({ entry }) => entry.rows)).toEqual([1]);
  });

  it('makes nothing of nothing', () => {
    const sink = new OpeningSink();
    sink.onAdd = failingAt(1);
    const made = open(sink);
    expect(made.add(group([1]))).toBe(false);
    expect(made.finish()).toEqual([]);
    expect(sink.made).toEqual([]);
  });

  it('does not end an entry of which nobody knows what it holds', () => {
    const sink = new OpeningSink();
    const made = open(sink);
    made.add(group([1]));
    sink.onAdd = failingAt(2);
    sink.onTakeBack = () => {
      throw new RangeError('lost count');
    };
    expect(made.add(group([2]))).toBe(false);
    expect(() => made.finish()).toThrow('lost count');
  });
});
