import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeFreeze,
  decodeMeta,
  encodeFreeze,
  encodeMeta,
  epochOf,
  readNumbers,
  sequenceOf,
  type EntryMeta,
  type FreezeRecord,
} from './format.js';

const UINT32 = { min: 0, max: 2 ** 32 - 1 };
const keys = fc.tuple(fc.string(), fc.string(), fc.nat());
const metas: fc.Arbitrary<EntryMeta> = fc.record(
  {
    id: fc.string(),
    rows: fc.integer(UINT32),
    bytes: fc.integer(UINT32),
    receivedAt: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    crc: fc.integer(UINT32),
    note: fc.record({ events: fc.nat(), text: fc.string({ unit: 'grapheme' }) }),
    siblings: fc.array(keys),
  },
  { requiredKeys: ['id', 'rows', 'bytes', 'receivedAt', 'crc'] },
);
const freezes: fc.Arbitrary<FreezeRecord> = fc.record({
  token: fc.string({ unit: 'grapheme' }),
  first: fc.nat(),
  last: fc.nat(),
  firstId: fc.string(),
  lastId: fc.string(),
  entries: fc.nat(),
  rows: fc.nat(),
  bytes: fc.nat(),
  receivedAt: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  frozenAt: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
});

/** A record of which one bit is another. */
function flipped(record: Buffer, bit: number): Buffer {
  const copy = Buffer.from(record);
  const at = Math.floor(bit / 8) % copy.length;
  copy.writeUInt8(copy.readUInt8(at) ^ (1 << (bit % 8)), at);
  return copy;
}

describe('a record of the index', () => {
  it('gives back what was written, and its numbers without the rest', () => {
    fc.assert(
      fc.property(metas, (meta) => {
        const record = encodeMeta(meta);
        expect(decodeMeta(record)).toEqual(meta);
        const { rows, bytes, receivedAt } = meta;
        expect(readNumbers(record)).toEqual({ rows, bytes, receivedAt });
      }),
    );
  });

  it('is known to be damaged by any bit that has changed, and by any byte that is missing', () => {
    fc.assert(
      fc.property(metas, fc.nat(), (meta, random) => {
        const record = encodeMeta(meta);
        for (const damaged of [flipped(record, random), record.subarray(0, random % record.length)]) {
          expect(readNumbers(damaged)).toBeUndefined();
          expect(decodeMeta(damaged)).toBeUndefined();
        }
      }),
    );
  });
});

describe('a record of a frozen batch', () => {
  it('gives back what was written', () => {
    fc.assert(fc.property(freezes, (each) => expect(decodeFreeze(encodeFreeze(each))).toEqual(each)));
  });

  it('is known to be damaged by any bit that has changed, and by any byte that is missing', () => {
    fc.assert(
      fc.property(freezes, fc.nat(), (each, random) => {
        const record = encodeFreeze(each);
        expect(decodeFreeze(flipped(record, random))).toBeUndefined();
        expect(decodeFreeze(record.subarray(0, random % record.length))).toBeUndefined();
      }),
    );
  });
});

describe('an entry id', () => {
  it.each([
    ['gw/000001/000000000042', 'gw/000001', '000000000042'],
    ['a/b/c/d', 'a/b/c', 'd'],
    ['alone', '', 'alone'],
    ['', '', ''],
  ])('%j is of the epoch %j, in which it is %j', (id, epoch, sequence) => {
    expect([epochOf(id), sequenceOf(id)]).toEqual([epoch, sequence]);
  });
});
