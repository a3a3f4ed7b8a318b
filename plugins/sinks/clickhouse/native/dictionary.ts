import type { WireType } from './wire-type.js';

/** Version of the wire form: dictionaries that stand in the block itself. */
const VERSION = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);
/** Flag: keys follow. The low byte is the width of an index: 0 = 8 bits, 1 = 16, 2 = 32. */
const HAS_KEYS = 0x200;

/** Indexes of the column that is being written; columns are written one at a time. */
let indexes = new Uint32Array(1024);

/**
 * Text of few different values: each once, then an index for each row. Wire form, after the version: UInt64 flags,
 * UInt64 count of keys, the keys (the first one empty), UInt64 count of rows, the indexes.
 */
export function createDictionaryType(): WireType {
  const known = new Map<string, number>();
  return {
    name: 'LowCardinality(String)',
    prefix: VERSION,
    write(out, values, rows) {
      if (rows > indexes.length) indexes = new Uint32Array(Math.max(rows, indexes.length * 2));
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
          let index = last === '' ? 0 : known.get(last);
          if (index === undefined) {
            index = count++;
            known.set(last, index);
            out.string(last);
          }
          lastIndex = index;
        }
        indexes[row] = lastIndex;
      }
      if (known.size > 0) known.clear();
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
