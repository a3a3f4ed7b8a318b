import type { FieldValue } from '@app/pipeline/api';
import { writeIp } from './ip-bytes.js';
import type { WireType } from './wire-type.js';

const TWO_32 = 0x1_0000_0000;

/** Text as it is. */
export const STRING: WireType = {
  name: 'String',
  write(out, values, rows) {
    for (let row = 0; row < rows; row++) {
      const value = values[row];
      out.string(typeof value === 'string' ? value : '');
    }
  },
};

/** Milliseconds since 1970-01-01 UTC. */
export const TIME: WireType = {
  name: "DateTime64(3, 'UTC')",
  write(out, values, rows) {
    out.reserve(rows * 8);
    const { view } = out;
    let at = out.offset;
    for (let row = 0; row < rows; row++, at += 8) {
      const value = numberOf(values[row]);
      view.setUint32(at, value >>> 0, true);
      view.setInt32(at + 4, Math.floor(value / TWO_32), true);
    }
    out.offset = at;
  },
};

/** 8 bits. */
export const UINT8: WireType = {
  name: 'UInt8',
  write(out, values, rows) {
    out.reserve(rows);
    const { bytes } = out;
    for (let row = 0; row < rows; row++) bytes[out.offset++] = numberOf(values[row]);
  },
};

/** 16 bits. */
export const UINT16: WireType = {
  name: 'UInt16',
  write(out, values, rows) {
    out.reserve(rows * 2);
    const { view } = out;
    for (let row = 0; row < rows; row++, out.offset += 2) {
      view.setUint16(out.offset, numberOf(values[row]), true);
    }
  },
};

/** 64 bits. */
export const UINT64: WireType = {
  name: 'UInt64',
  write(out, values, rows) {
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
  },
};

/** One byte. */
export const BOOL: WireType = {
  name: 'Bool',
  write(out, values, rows) {
    out.reserve(rows);
    const { bytes } = out;
    for (let row = 0; row < rows; row++) bytes[out.offset++] = values[row] === true ? 1 : 0;
  },
};

/** 16 bytes, the highest first; IPv4 as an IPv4-mapped address. */
export const IP: WireType = {
  name: 'IPv6',
  write(out, values, rows) {
    out.reserve(rows * 16);
    const { bytes } = out;
    for (let row = 0; row < rows; row++, out.offset += 16) {
      const value = values[row];
      writeIp(typeof value === 'string' ? value : '', bytes, out.offset);
    }
  },
};

/** A type whose values may be missing: a byte a row that says so, then the values, with defaults for the missing ones. */
export function nullable(type: WireType): WireType {
  return {
    name: `Nullable(${type.name})`,
    write(out, values, rows) {
      out.reserve(rows);
      const { bytes } = out;
      for (let row = 0; row < rows; row++) {
        const value = values[row];
        bytes[out.offset++] = value === null || value === undefined ? 1 : 0;
      }
      type.write(out, values, rows);
    },
  };
}

function numberOf(value: FieldValue | undefined): number {
  if (typeof value === 'number') return value;
  return typeof value === 'bigint' ? Number(value) : 0;
}
