import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { applyChanges, openRoot, openTables, type SpoolDatabase } from './database.js';
import { MAX_STREAMS_PER_SENDER, StreamTable } from './stream-table.js';

describe('what a spool remembers of streams', () => {
  let directory: string;
  let database: SpoolDatabase;
  let now: number;
  let table: StreamTable;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'stream-table-'));
    database = openTables(openRoot({ directory, mapBytes: 2 ** 28 }));
    now = 1_000;
    table = new StreamTable(database, () => now);
  });
  afterEach(async () => {
    await database.root.close();
    rmSync(directory, { recursive: true });
  });

  const store = (stream: string, first: number, last: number, to = table): void => {
    const { changes, stored } = to.add([{ stream, first, last }]);
    applyChanges(database, changes);
    stored();
  };

  it('is nothing of a stream that it does not know', () => {
    expect([table.durable('a/1'), table.all()]).toEqual([[], []]);
  });

  it('joins ranges that meet or overlap, and keeps gaps', () => {
    store('a/1', 1, 10);
    store('a/1', 11, 20);
    store('a/1', 15, 25);
    store('a/1', 40, 50);
    const ranges = [
      { first: 1, last: 25 },
      { first: 40, last: 50 },
    ];
    expect(table.durable('a/1')).toEqual(ranges);
    expect(table.all()).toEqual(ranges.map((range) => ({ stream: 'a/1', ...range })));
  });

  it('counts as durable only what is on disk', () => {
    const { changes, stored } = table.add([{ stream: 'a/1', first: 1, last: 5 }]);
    expect(table.durable('a/1')).toEqual([]);
    applyChanges(database, changes);
    stored();
    expect(table.durable('a/1')).toEqual([{ first: 1, last: 5 }]);
  });

  it('loses nothing when changes are asked for before earlier ones are on disk', () => {
    const first = table.add([{ stream: 'a/1', first: 1, last: 5 }]);
    const second = table.add([{ stream: 'a/1', first: 6, last: 9 }]);
    applyChanges(database, first.changes);
    first.stored();
    const third = table.add([{ stream: 'a/1', first: 20, last: 20 }]);
    for (const { changes, stored } of [second, third]) {
      applyChanges(database, changes);
      stored();
    }
    expect(table.durable('a/1')).toEqual([
      { first: 1, last: 9 },
      { first: 20, last: 20 },
    ]);
  });

  it('is read back by the next process, in whatever portions it was written', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
        fc.string({ minLength: 1, unit: fc.constantFrom(...'abcdef0123') }),
        (numbers, name) => {
          const stream = `agent/${name}`;
          database.tables.streams.clearSync();
          for (const number of numbers) store(stream, number, number);
          const again = new StreamTable(database, () => now).durable(stream);
          const covered = again.flatMap(({ first, last }) =>
            Array.from({ length: last - first + 1 }, (_, index) => first + index),
          );
          expect(covered).toEqual([...numbers].sort((a, b) => a - b));
          for (const [index, { first }] of again.entries()) {
            if (index > 0) expect(first - again[index - 1]!.last).toBeGreaterThan(1);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('takes a damaged record for none, and goes on from there', () => {
    store('a/1', 1, 10);
    const record = Buffer.from(database.tables.streams.getBinary('a/1')!);
    record.writeUInt8(record.readUInt8(6) ^ 1, 6);
    applyChanges(database, [{ table: 'streams', key: 'a/1', value: record }]);
    expect([table.durable('a/1'), table.all()]).toEqual([[], []]);
    store('a/1', 11, 12);
    expect(table.durable('a/1')).toEqual([{ first: 11, last: 12 }]);
  });

  it('forgets the oldest stream of an agent that makes too many, and none of another agent', () => {
    store('other/old', 1, 1);
    for (let n = 0; n < MAX_STREAMS_PER_SENDER; n += 1) {
      now += 1;
      store(`agent/${n}`, 1, 1);
    }
    now += 1;
    store('agent/0', 2, 2);
    now += 1;
    store('agent/new', 1, 1);
    expect(table.durable('agent/0')).toEqual([{ first: 1, last: 2 }]);
    expect(table.durable('agent/1')).toEqual([]);
    expect(table.durable('agent/new')).toEqual([{ first: 1, last: 1 }]);
    expect(table.durable('other/old')).toEqual([{ first: 1, last: 1 }]);
    expect(new Set(table.all().map(({ stream }) => stream)).size).toBe(MAX_STREAMS_PER_SENDER + 1);
  });
});
