import type { WireType } from './wire-type.js';

/** Version of the wire form: dictionaries that stand in the block itself. */
const VERSION = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);
/** Flag: keys follow. The low byte is the width of an index: 0 = 8 bits, 1 = 16, 2 = 32. */
const HAS_KEYS = 0x200;

/** Characters of values that are kept from block to block at most; keywords are expected to need far fewer. */
const MAX_KEPT = 64 * 1024;

/** Where a value stands among the keys of the last block that it was in. */
interface Place {
  block: number;
  index: number;
}

/** Indexes of the column that is being written; columns are written one at a time. */
let indexes = new Uint32Array(1024);

/**
 * Text of few different values: each once, then an index for each row. Wire form, after the version: UInt64 flags,
 * UInt64 count of keys, the keys (the first one empty), UInt64 count of rows, the indexes.
 */
export function createDictionaryType(): WireType {
  /** Values come again in the next block: to find one takes half of what it takes to add it. */
  const known = new Map<string, Place>();
  /** The first key of every dictionary. */
  const empty: Place = { block: 0, index: 0 };
  let block = 0;
  let kept = 0;
  const placeOf = (text: string): Place => {
    let place = known.get(text);
    if (place === undefined) {
      place = { block: 0, index: 0 };
      known.set(ownText(text), place);
      kept += text.length;
    }
    return place;
  };
  return {
    name: 'LowCardinality(String)',
    prefix: VERSION,
    write(out, values, rows) {
      if (rows > indexes.length) indexes = new Uint32Array(Math.max(rows, indexes.length * 2));
      if (kept > MAX_KEPT) {
        known.clear();
        kept = 0;
      }
      block += 1;
      empty.block = block;
      const head = out.offset;
      out.reserve(16);
      out.offset += 16;
      out.string('');
      let count = 1;
      // Rows of one host or agent come together: the value is often the one before.
      let last = '';
      let lastIndex = 0;
      for (let row = 0; row < rows; row++) {
        const value = values[row];
        if (value !== last) {
          last = typeof value === 'string' ? value : '';
          const place = last === '' ? empty : placeOf(last);
          if (place.block !== block) {
            place.block = block;
            place.index = count++;
            out.string(last);
          }
          lastIndex = place.index;
        }
        indexes[row] = lastIndex;
      }
      const end = out.offset;
      out.offset = head;
      out.int64(HAS_KEYS | indexWidth(count));
      out.int64(count);
      out.offset = end;
      out.int64(rows);
      writeIndexes(out, rows, count);
    },
    writeSame(out, value, rows) {
      const text = typeof value === 'string' ? value : '';
      const count = text === '' ? 1 : 2;
      out.int64(HAS_KEYS);
      out.int64(count);
      out.string('');
      if (count === 2) out.string(text);
      out.int64(rows);
      out.fill(count - 1, rows);
    },
  };
}

/** The text by itself: as a piece of a message, it would keep the whole message in memory. */
function ownText(text: string): string {
  const copy = Buffer.from(text).toString();
  // A lone surrogate is no UTF-8.
  return copy === text ? copy : text;
}

function indexWidth(count: number): number {
  if (count <= 0x100) return 0;
  return count <= 0x1_0000 ? 1 : 2;
}

function writeIndexes(out: Parameters<WireType['write']>[0], rows: number, count: number): void {
  const width = 1 << indexWidth(count);
  out.reserve(rows * width);
  const { bytes, view } = out;
  let at = out.offset;
  if (width === 1) for (let row = 0; row < rows; row++) bytes[at++] = indexes[row] ?? 0;
  else if (width === 2)
    for (let row = 0; row < rows; row++, at += 2) view.setUint16(at, indexes[row] ?? 0, true);
  else for (let row = 0; row < rows; row++, at += 4) view.setUint32(at, indexes[row] ?? 0, true);
  out.offset = at;
}
