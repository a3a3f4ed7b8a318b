import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deadLetters, type EventRecord, type RecordBatch } from '../api/index.js';
import { alphaEvents, createRecordingLogger, FakeSink, numbers, testBatch } from '../testing/index.js';
import type { Decoded } from './decode.js';
import { EntryAccumulator, type FinishedEntries } from './entry-accumulator.js';
import { PendingBatch } from './pending-batch.js';
import type { RecordGroup } from './record-groups.js';

/** What the sinks of an accumulator cannot encode, by id; dead letters by the id in their raw message. */
interface Faults {
  readonly main: ReadonlySet<number>;
  readonly second: ReadonlySet<number>;
  readonly letters: ReadonlySet<number>;
}

const NO_FAULTS: Faults = { main: new Set(), second: new Set(), letters: new Set() };

function make(faults: Faults): {
  accumulator: EntryAccumulator;
  sinks: { main: FakeSink; second: FakeSink };
} {
  const sinks = { main: new FakeSink(), second: new FakeSink() };
  sinks.main.onEncode = failingAt(faults.main, faults.letters);
  sinks.second.onEncode = failingAt(faults.second, new Set());
  const main = { name: 'main', plugin: sinks.main };
  const accumulator = new EntryAccumulator({
    pipeline: 'test',
    sinks: [main, { name: 'second', plugin: sinks.second }],
    deadLetters: main,
    idPrefix: 'gw/1',
    logger: createRecordingLogger(),
  });
  return { accumulator, sinks };
}

function failingAt(ids: ReadonlySet<number>, letters: ReadonlySet<number>) {
  return ({ type, records }: RecordBatch): void => {
    const bad = (record: EventRecord): boolean =>
      type === deadLetters ? letters.has(idOf(record.raw as string)) : ids.has(record.id as number);
    if (records.some(bad)) throw new TypeError('no');
  };
}

const idOf = (raw: string): number => (JSON.parse(raw) as { id: number }).id;

/** A processing batch of one source batch, decoded. */
function decoded(ids: readonly number[]): {
  group: Decoded;
  slice: Parameters<EntryAccumulator['add']>[1][0];
} {
  const batch = testBatch(ids);
  const pendingBatch = new PendingBatch(batch, () => undefined);
  const run = { origin: batch.origin, receivedAt: 5, pendingBatch, count: ids.length };
  const records = ids.map((id) => ({ id }));
  const group: RecordGroup = { type: alphaEvents, records, sources: batch.events, runs: [run] };
  return { group: { groups: [group], filtered: [], rows: ids.length }, slice: { batch, pendingBatch } };
}

function accumulate(accumulator: EntryAccumulator, batches: readonly (readonly number[])[]): FinishedEntries {
  for (const ids of batches) {
    const { group, slice } = decoded(ids);
    accumulator.add(group, [slice]);
  }
  return accumulator.finish();
}

/** The ids that a sink's entries hold, dead letters apart. */
function idsOf({ groups }: FinishedEntries, sink: string, ofLetters = false): number[] {
  const entries = groups.flatMap(({ items }) => items.filter((item) => item.sink === sink));
  const lines = entries
    .filter(({ entry }) => (entry.destination === deadLetters.name) === ofLetters)
    .flatMap(({ entry }) => Buffer.from(entry.bytes).toString().trimEnd().split('\n'))
    .map((line) => JSON.parse(line) as { id: number; raw: string });
  return lines.map(({ id, raw }) => (ofLetters ? idOf(raw) : id)).sort((a, b) => a - b);
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

describe('EntryAccumulator', () => {
  it('makes one entry for each sink of all that came', () => {
    const { accumulator } = make(NO_FAULTS);
    const { groups, dropped } = accumulate(accumulator, [[1, 2], [3], [4, 5]]);
    expect(dropped).toEqual([]);
    expect(groups.map(({ items }) => items.map(({ sink, entry }) => [sink, entry.rows]))).toEqual([
      [
        ['main', 5],
        ['second', 5],
      ],
    ]);
  });

  it('keeps an event that cannot be encoded out of its entry, and all others in it', () => {
    const { accumulator } = make({ ...NO_FAULTS, main: new Set([7]) });
    const finished = accumulate(accumulator, [numbers(0, 10), numbers(10, 10)]);
    const told = finished.groups.map(({ items, outcome, counts }) => [
      items.map(({ entry }) => entry.rows),
      outcome,
      counts,
    ]);
    expect(told).toEqual([
      [[19, 19], 'delivered', new Map([['alpha_events', 19]])],
      [[1], 'delivered', undefined],
      [[1], 'deadLettered', new Map([['encode_failed', 1]])],
    ]);
    expect(idsOf(finished, 'second')).toEqual(numbers(0, 20));
  });

  it('drops what an entry holds that cannot be taken back, and begins another one', () => {
    const { accumulator, sinks } = make({ ...NO_FAULTS, second: new Set([3]) });
    const open = sinks.main.open.bind(sinks.main);
    sinks.main.open = (type) => {
      const block = open(type);
      const undo = (): void => {
        throw new RangeError('lost count');
      };
      return { add: (batch) => block.add(batch), undo, finish: (id) => block.finish(id) };
    };
    const finished = accumulate(accumulator, [[1], [2, 3], [4]]);
    const lost = finished.dropped.map(({ pendingCounts, reason }) => [pendingCounts.length, reason]);
    expect(lost).toEqual([
      [1, 'internal error'],
      [1, 'internal error'],
    ]);
    // 3 is a dead letter too, as the second sink cannot encode it.
    expect([idsOf(finished, 'main'), idsOf(finished, 'second')]).toEqual([[3, 4], [4]]);
  });

  it('leaves each event in the entries of every sink that can encode it, or as a dead letter, or dropped', () => {
    const ids = fc.uniqueArray(fc.nat(29), { maxLength: 8 }).map((each) => new Set(each));
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(sizes, fc.record({ main: ids, second: ids, letters: ids }), (lengths, faults) => {
        let next = 0;
        const batches = lengths.map((length) => numbers((next += length) - length, length));
        const { accumulator } = make(faults);
        const finished = accumulate(accumulator, batches);
        const all = numbers(0, next);
        const refused = all.filter((id) => faults.main.has(id) || faults.second.has(id));
        expect(idsOf(finished, 'main')).toEqual(all.filter((id) => !faults.main.has(id)));
        expect(idsOf(finished, 'second')).toEqual(all.filter((id) => !faults.second.has(id)));
        expect(idsOf(finished, 'main', true)).toEqual(refused.filter((id) => !faults.letters.has(id)));
        const { groups, dropped } = finished;
        // Each event ends once, and is counted as what it ends as.
        const ends = [...groups, ...dropped].flatMap(({ pendingCounts }) => pendingCounts);
        expect(sum(ends.map(({ count }) => count))).toBe(next);
        const counted = groups.flatMap(({ counts }) => [...(counts?.values() ?? [])]);
        expect(sum(counted)).toBe(next - refused.filter((id) => faults.letters.has(id)).length);
        for (const sink of ['main', 'second']) {
          const sequences = groups.flatMap(({ items }) => items.filter((item) => item.sink === sink));
          const order = sequences.map(({ sequence }) => sequence);
          expect(order).toEqual([...order].sort());
        }
      }),
      { numRuns: 200 },
    );
  });
});
