import type { FieldValue } from '@app/pipeline/api';
import type { ByteWriter } from './byte-writer.js';
import { writeIp } from './ip-bytes.js';
import { repeatRow, type WireType } from './wire-type.js';

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
  for (let row = 0; row < rows; row++) bytes[out.offset++] = numberOf(values[row]);
});

/** 16 bits. */
export const UINT16 = rowwise('UInt16', (out, values, rows) => {
  out.reserve(rows * 2);
  const { view } = out;
  for (let row = 0; row < rows; row++, out.offset += 2) {
    view.setUint16(out.offset, numberOf(values[row]), true);
  }
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
  for (let row = 0; row < rows; row++) bytes[out.offset++] = values[row] === true ? 1 : 0;
});

/** 16 bytes, the highest first; IPv4 as an IPv4-mapped address. */
export const IP = rowwise('IPv6', (out, values, rows) => {
  out.reserve(rows * 16);
  const { bytes } = out;
  for (let row = 0; row < rows; row++, out.offset += 16) {
    const value = values[row];
    writeIp(typeof value === 'string' ? value : '', bytes, out.offset);
  }
});

/** A type whose values may be missing: a byte a row that says so, then the values, with defaults for the missing ones. */
export function nullable(type: WireType): WireType {
  const { writeSame } = type;
  return {
    name: `Nullable(${type.name})`,
    write(out, values, rows) {
      out.reserve(rows);
      const { bytes } = out;
      for (let row = 0; row < rows; row++) bytes[out.offset++] = isMissing(values[row]) ? 1 : 0;
      type.write(out, values, rows);
    },
    ...(writeSame && {
      writeSame(out: ByteWriter, value: FieldValue | undefined, rows: number) {
        out.fill(isMissing(value) ? 1 : 0, rows);
        writeSame(out, value, rows);
      },
    }),
  };
}

function isMissing(value: FieldValue | undefined): boolean {
  return value === null || value === undefined;
}

/** A type whose rows stand one after the other. */
function rowwise(name: string, write: WireType['write']): WireType {
  return { name, write, writeSame: repeatRow(write) };
}

function numberOf(value: FieldValue | undefined): number {
  if (typeof value === 'number') return value;
  return typeof value === 'bigint' ? Number(value) : 0;
}
