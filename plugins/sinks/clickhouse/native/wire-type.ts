import type { FieldValue } from '@app/pipeline/api';
import type { ByteWriter } from './byte-writer.js';

/** Values of one column, one for each row; `undefined` stands for a type's own default. */
export type ColumnValues = readonly (FieldValue | undefined)[];

/** How a column goes over the wire. */
export interface WireType {
  /** The ClickHouse type that the column's header names; the server converts from it to the table's type. */
  readonly name: string;
  /** What stands once before a column's data: only dictionaries have it, also inside arrays and maps. */
  readonly prefix?: Uint8Array;
  /** Writes the first `rows` of the values. A value that is none of the type is written as the type's default. */
  write(out: ByteWriter, values: ColumnValues, rows: number): void;
  /**
   * Writes so many rows that all hold one value, as `write` would; missing where a row's bytes depend on the rows before
   * it. Most columns of a block are such: fields that an agent does not send, and all stamps.
   */
  readonly writeSame?: (out: ByteWriter, value: FieldValue | undefined, rows: number) => void;
}

/** `writeSame` of a type whose rows stand one after the other: one row is written and copied. */
export function repeatRow(write: WireType['write']): NonNullable<WireType['writeSame']> {
  const row: (FieldValue | undefined)[] = [];
  return (out, value, rows) => {
    const start = out.offset;
    row[0] = value;
    write(out, row, 1);
    out.repeat(start, rows);
  };
}
