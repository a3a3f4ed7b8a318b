import type { FieldValue } from '@app/pipeline/api';
import type { ByteWriter } from './byte-writer.js';
import type { ColumnValues, WireType } from './wire-type.js';

/** An array: where each row's elements end, then the elements of all rows. */
export function arrayOf(type: WireType): WireType {
  const flat: FieldValue[] = [];
  const write: WireType['write'] = (out, values, rows) => {
    flat.length = 0;
    out.reserve(rows * 8);
    for (let row = 0; row < rows; row++) {
      const value = values[row];
      if (Array.isArray(value)) {
        const elements = value as readonly FieldValue[];
        for (let index = 0; index < elements.length; index++) flat.push(elements[index] ?? null);
      }
      out.int64(flat.length);
    }
    writeElements(out, type, flat);
  };
  return {
    name: `Array(${type.name})`,
    ...(type.prefix && { prefix: type.prefix }),
    write,
    writeSame(out, value, rows) {
      // All rows empty is the usual case, and the only one without elements.
      if (Array.isArray(value) && value.length > 0) write(out, new Array<FieldValue>(rows).fill(value), rows);
      else out.fill(0, rows * 8);
    },
  };
}

/** A map: as an array of its pairs, the keys of all rows before the values of all rows. */
export function mapOf(keyType: WireType, valueType: WireType): WireType {
  const keys: string[] = [];
  const texts: string[] = [];
  return {
    name: `Map(${keyType.name}, ${valueType.name})`,
    ...(keyType.prefix && { prefix: keyType.prefix }),
    write(out, values, rows) {
      keys.length = 0;
      texts.length = 0;
      out.reserve(rows * 8);
      for (let row = 0; row < rows; row++) {
        const value = values[row];
        if (value instanceof Map) {
          for (const [key, text] of value as ReadonlyMap<string, string>) {
            keys.push(key);
            texts.push(text);
          }
        }
        out.int64(keys.length);
      }
      writeElements(out, keyType, keys);
      writeElements(out, valueType, texts);
    },
  };
}

/** Of no elements nothing is written, not even an empty dictionary. */
function writeElements(out: ByteWriter, type: WireType, values: ColumnValues): void {
  if (values.length > 0) type.write(out, values, values.length);
}
