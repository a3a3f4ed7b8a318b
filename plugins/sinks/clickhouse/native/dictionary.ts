import type { FieldValue } from '@activity-gateway/pipeline/api';
import { ByteWriter } from './byte-writer.js';
import { writeIp } from './ip-bytes.js';
import { KEPT_COLUMN_BYTES } from './row-column.js';
import type { ColumnValues, ColumnWriter, WireType } from './wire-type.js';

/** Version of the wire form: dictionaries that stand in the block itself. */
const VERSION = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);
/** Flag: keys follow. The low byte is the width of an index: 0 = 8 bits, 1 = 16, 2 = 32. */
const HAS_KEYS = 0x200;

/** Characters of values that are kept from block to block at most; keywords are expected to need far fewer. */
const MAX_KEPT = 64 * 1024;
/** Room for keys at first, bytes, and for indexes, rows. */
const INITIAL = 1024;

/** How the values of a dictionary are written. */
interface Keys {
  /** The first key of every dictionary, which stands for a missing value. */
  readonly empty: Uint8Array;
  write(out: ByteWriter, text: string): void;
}

/** Text of few different values. */
export const DICTIONARY = dictionaryOf('String', {
  empty: Uint8Array.of(0),
  write: (out, text) => out.string(text),
});

/** Addresses of few different values. */
export const IP_DICTIONARY = dictionaryOf('IPv6', {
  empty: new Uint8Array(16),
  write(out, text) {
    const at = out.offset;
    out.fill(0, 16);
    writeIp(text, out.bytes, at);
  },
});

/**
 * Each value once, then an index for each row. Wire form, after the version: UInt64 flags, UInt64 count of keys, the keys
 * (the first one is the type's default), UInt64 count of rows, the indexes.
 */
function dictionaryOf(type: string, keys: Keys): WireType {
  return {
    name: `LowCardinality(${type})`,
    prefix: VERSION,
    open: () => new DictionaryColumn(keys),
    writeSame(out, value, rows) {
      const text = typeof value === 'string' ? value : '';
      const count = text === '' ? 1 : 2;
      out.int64(HAS_KEYS);
      out.int64(count);
      out.raw(keys.empty);
      if (count === 2) keys.write(out, text);
      out.int64(rows);
      out.fill(count - 1, rows);
    },
  };
}

/** Where a value stands among the keys of the last block that it was in. */
interface Place {
  block: number;
  index: number;
}

class DictionaryColumn implements ColumnWriter {
  /** Values come again in the next block: to find one takes half of what it takes to add it. */
  readonly #known = new Map<string, Place>();
  /** Characters of `#known`. */
  #kept = 0;
  #block = 1;
  /** The keys of this block but for the first. */
  readonly #keys = new ByteWriter(INITIAL, KEPT_COLUMN_BYTES);
  #count = 1;
  #indexes = new Uint32Array(INITIAL);
  #rows = 0;
  readonly #marked = { rows: 0, count: 1, bytes: 0 };

  constructor(private readonly keys: Keys) {}

  add(values: ColumnValues, rows: number): void {
    this.#reserve(rows);
    const indexes = this.#indexes;
    const from = this.#rows;
    // Rows of one host or agent come together: the value is often the one before.
    let last: FieldValue | undefined = '';
    let index = 0;
    for (let row = 0; row < rows; row++) {
      const value = values[row];
      if (value !== last) {
        last = value;
        index = this.#indexOf(value);
      }
      indexes[from + row] = index;
    }
    this.#rows += rows;
  }

  addSame(value: FieldValue | undefined, rows: number): void {
    this.#reserve(rows);
    this.#indexes.fill(this.#indexOf(value), this.#rows, this.#rows + rows);
    this.#rows += rows;
  }

  mark(): void {
    this.#marked.rows = this.#rows;
    this.#marked.count = this.#count;
    this.#marked.bytes = this.#keys.offset;
  }

  undo(): void {
    const { rows, count, bytes } = this.#marked;
    this.#rows = rows;
    this.#count = count;
    this.#keys.offset = bytes;
    for (const place of this.#known.values()) {
      if (place.block === this.#block && place.index >= count) place.block = 0;
    }
  }

  finish(out: ByteWriter): void {
    out.int64(HAS_KEYS | widthOf(this.#count));
    out.int64(this.#count);
    out.raw(this.keys.empty);
    out.append(this.#keys);
    out.int64(this.#rows);
    this.#writeIndexes(out);
    this.clear();
  }

  clear(): void {
    this.#rows = 0;
    this.#count = 1;
    this.#keys.clear();
    this.mark();
    this.#block += 1;
    if (this.#kept <= MAX_KEPT) return;
    this.#known.clear();
    this.#kept = 0;
  }

  #reserve(rows: number): void {
    const needed = this.#rows + rows;
    if (needed <= this.#indexes.length) return;
    const larger = new Uint32Array(Math.max(needed, this.#indexes.length * 2));
    larger.set(this.#indexes.subarray(0, this.#rows));
    this.#indexes = larger;
  }

  #indexOf(value: FieldValue | undefined): number {
    if (typeof value !== 'string' || value === '') return 0;
    let place = this.#known.get(value);
    if (place === undefined) {
      place = { block: 0, index: 0 };
      this.#known.set(ownText(value), place);
      this.#kept += value.length;
    }
    if (place.block !== this.#block) {
      this.keys.write(this.#keys, value);
      place.block = this.#block;
      place.index = this.#count++;
    }
    return place.index;
  }

  #writeIndexes(out: ByteWriter): void {
    const rows = this.#rows;
    const indexes = this.#indexes;
    const width = 1 << widthOf(this.#count);
    out.reserve(rows * width);
    const { bytes, view } = out;
    let at = out.offset;
    if (width === 1) for (let row = 0; row < rows; row++) bytes[at++] = indexes[row] ?? 0;
    else if (width === 2)
      for (let row = 0; row < rows; row++, at += 2) view.setUint16(at, indexes[row] ?? 0, true);
    else for (let row = 0; row < rows; row++, at += 4) view.setUint32(at, indexes[row] ?? 0, true);
    out.offset = at;
  }
}

/** The text by itself: as a piece of a message, it would keep the whole message in memory. */
function ownText(text: string): string {
  const copy = Buffer.from(text).toString();
  // A lone surrogate is no UTF-8.
  return copy === text ? copy : text;
}

function widthOf(count: number): number {
  if (count <= 0x100) return 0;
  return count <= 0x1_0000 ? 1 : 2;
}
