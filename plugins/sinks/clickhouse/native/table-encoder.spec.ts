import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { EventRecord, RecordBatch } from '@activity-gateway/pipeline/api';
import { everyKind, sampleBatch, sampleRecords } from '@activity-gateway/pipeline/testing';
import { ByteWriter } from './byte-writer.js';
import { EncoderPool } from './encoder-pool.js';
import { TableEncoder } from './table-encoder.js';

const RECORDS = sampleRecords(everyKind, 5);
const FIELDS = Object.keys(everyKind.fields);
/** Columns that take other forms than the usual ones. */
const TYPES = new Map([
  ['text', 'LowCardinality(String)'],
  ['keyword', 'String'],
  ['time_or_not', "DateTime64(3, 'UTC')"],
  ['group.texts', 'Array(LowCardinality(String))'],
  ['map', 'Map(String, String)'],
]);

function finish(encoder: TableEncoder): Buffer {
  const out = new ByteWriter();
  encoder.finish('g/1/1', out);
  return out.take();
}

/** The block of these batches, made at once by an encoder of its own. */
function blockOf(batches: readonly RecordBatch[], types?: typeof TYPES): Buffer {
  const encoder = new TableEncoder(everyKind, types);
  encoder.add({
    type: everyKind,
    records: batches.flatMap(({ records }) => records),
    runs: batches.flatMap(({ runs }) => runs),
  });
  return finish(encoder);
}

/** A record that cannot be read beyond one of its fields. */
function unreadable(record: EventRecord, field: string): EventRecord {
  return Object.defineProperty({ ...record }, field, {
    get: () => {
      throw new TypeError('no');
    },
  });
}

const indexes = fc.array(fc.nat(RECORDS.length - 1), { maxLength: 12 });
const step = fc.record({
  records: indexes,
  does: fc.constantFrom('stay', 'stay', 'go', 'fail'),
  field: fc.constantFrom(...FIELDS),
});

describe('TableEncoder', () => {
  it.each([undefined, TYPES])(
    'makes of batches the block of all of them, whatever was taken back between (types: %p)',
    (types) => {
      fc.assert(
        fc.property(fc.array(fc.array(step, { maxLength: 6 }), { maxLength: 3 }), (blocks) => {
          const encoder = new TableEncoder(everyKind, types);
          for (const steps of blocks) {
            const kept: RecordBatch[] = [];
            for (const { records: chosen, does, field } of steps) {
              const records = chosen.map((index) => RECORDS[index] as EventRecord);
              const batch = sampleBatch(everyKind, records);
              if (does === 'fail') {
                const bad = [...records, unreadable(RECORDS[0] as EventRecord, field)];
                expect(() => encoder.add(sampleBatch(everyKind, bad))).toThrow(TypeError);
              } else encoder.add(batch);
              if (does === 'stay') kept.push(batch);
              else encoder.undo();
            }
            expect(encoder.rows).toBe(kept.reduce((sum, { records }) => sum + records.length, 0));
            expect(finish(encoder).equals(blockOf(kept, types))).toBe(true);
          }
        }),
        { numRuns: 300 },
      );
    },
  );

  it('writes a block without rows as nothing', () => {
    const encoder = new TableEncoder(everyKind);
    encoder.add(sampleBatch(everyKind, []));
    expect(finish(encoder)).toHaveLength(0);
  });
});

describe('EncoderPool', () => {
  it('gives no encoder twice, and none that was made for other types', () => {
    const pool = new EncoderPool(everyKind);
    const [first, second] = [pool.take(), pool.take()];
    expect(second).not.toBe(first);
    pool.give(first);
    expect(pool.take()).toBe(first);
    pool.learn(TYPES);
    pool.give(second);
    const third = pool.take();
    expect([first, second]).not.toContain(third);
    expect(third.types).toBe(TYPES);
  });
});
