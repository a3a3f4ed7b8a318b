import type { FieldValue } from '@activity-gateway/pipeline/api';
import type { ByteWriter } from './byte-writer.js';
import { writeIp } from './ip-bytes.js';
import { RowColumn } from './row-column.js';
import {
  repeatRow,
  type ColumnValues,
  type ColumnWriter,
  type WireType,
  type WriteRows,
} from './wire-type.js';

const TWO_32 = 0x1_0000_0000;

/** Text as it is. */
export const STRING = rowwise('String', (out, values, rows) => {
  for (let row = 0; row < rows; row++) {
    const value = values[row];
    out.string(typeof value === 'string' ? value : '');
  }
});

/** Milliseconds since 1970-01-01 UTC. */
export const TIME = rowwise("DateTime64(3, 'UTC')", (out, values, rows) => {
  out.reserve(rows * 8);
  const { view } = out;
  let at = out.offset;
  for (let row = 0; row < rows; row++, at += 8) {
    const value = numberOf(values[row]);
    view.setUint32(at, value >>> 0, true);
    view.setInt32(at + 4, Math.floor(value / TWO_32), true);
  }
  out.offset = at;
});

/** 8 bits. */
export const UINT8 = rowwise('UInt8', (out, values, rows) => {
  out.reserve(rows);
  const { bytes } = out;
  let at = out.offset;
  for (let row = 0; row < rows; row++) bytes[at++] = numberOf(values[row]);
  out.offset = at;
});

/** 16 bits. */
export const UINT16 = rowwise('UInt16', (out, values, rows) => {
  out.reserve(rows * 2);
  const { view } = out;
  let at = out.offset;
  for (let row = 0; row < rows; row++, at += 2) view.setUint16(at, numberOf(values[row]), true);
  out.offset = at;
});

/** 64 bits. */
export const UINT64 = rowwise('UInt64', (out, values, rows) => {
  out.reserve(rows * 8);
  const { view } = out;
  let at = out.offset;
  for (let row = 0; row < rows; row++, at += 8) {
    const value = values[row];
    if (typeof value === 'bigint') {
      view.setBigUint64(at, value, true);
      continue;
    }
    const number = numberOf(value);
    view.setUint32(at, number >>> 0, true);
    view.setUint32(at + 4, Math.floor(number / TWO_32), true);
  }
  out.offset = at;
});

/** One byte. */
export const BOOL = rowwise('Bool', (out, values, rows) => {
  out.reserve(rows);
  const { bytes } = out;
  let at = out.offset;
  for (let row = 0; row < rows; row++) bytes[at++] = values[row] === true ? 1 : 0;
  out.offset = at;
});

/** 16 bytes, the highest first; IPv4 as an IPv4-mapped address. */
export const IP = rowwise('IPv6', (out, values, rows) => {
  let at = out.offset;
  out.fill(0, rows * 16);
  const { bytes } = out;
  for (let row = 0; row < rows; row++, at += 16) {
    const value = values[row];
    if (typeof value === 'string') writeIp(value, bytes, at);
  }
});

/** A type whose values may be missing: a byte a row that says so, then the values, with defaults for the missing ones. */
export function nullable(type: WireType): WireType {
  const { writeSame } = type;
  return {
    name: `Nullable(${type.name})`,
    open: () => new NullableColumn(type.open()),
    ...(writeSame && {
      writeSame(out: ByteWriter, value: FieldValue | undefined, rows: number) {
        out.fill(isMissing(value) ? 1 : 0, rows);
        writeSame(out, value, rows);
      },
    }),
  };
}

/** Which rows have no value, and the values. */
class NullableColumn implements ColumnWriter {
  readonly #missing = new RowColumn(writeMissing);

  constructor(private readonly values: ColumnWriter) {}

  add(values: ColumnValues, rows: number): void {
    this.#missing.add(values, rows);
    this.values.add(values, rows);
  }

  addSame(value: FieldValue | undefined, rows: number): void {
    this.#missing.addSame(value, rows);
    this.values.addSame(value, rows);
  }

  mark(): void {
    this.#missing.mark();
    this.values.mark();
  }

  undo(): void {
    this.#missing.undo();
    this.values.undo();
  }

  finish(out: ByteWriter): void {
    this.#missing.finish(out);
    this.values.finish(out);
  }

  clear(): void {
    this.#missing.clear();
    this.values.clear();
  }
}

function writeMissing(out: ByteWriter, values: ColumnValues, rows: number): void {
  out.reserve(rows);
  const { bytes } = out;
  let at = out.offset;
  for (let row = 0; row < rows; row++) bytes[at++] = isMissing(values[row]) ? 1 : 0;
  out.offset = at;
}

function isMissing(value: FieldValue | undefined): boolean {
  return value === null || value === undefined;
}

/** A type whose rows stand one after the other. */
function rowwise(name: string, write: WriteRows): WireType {
  return { name, open: () => new RowColumn(write), writeSame: repeatRow(write) };
}

function numberOf(value: FieldValue | undefined): number {
  if (typeof value === 'number') return value;
  return typeof value === 'bigint' ? Number(value) : 0;
}
