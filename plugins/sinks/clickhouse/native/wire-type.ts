import type { FieldValue } from '@activity-gateway/pipeline/api';
import type { ByteWriter } from './byte-writer.js';

/** Values of one column, one for each row; `undefined` stands for a type's own default. */
export type ColumnValues = readonly (FieldValue | undefined)[];

/** How a column goes over the wire. */
export interface WireType {
  /** The ClickHouse type that the column's header names; the server converts from it to the table's type. */
  readonly name: string;
  /** What stands once before a column's data: only dictionaries have it, also inside arrays and maps. */
  readonly prefix?: Uint8Array;
  /** A column of this type, without rows. */
  open(): ColumnWriter;
  /**
   * Writes so many rows that all hold one value, as an open column would; missing where that is no less work. Most columns
   * of a block are such: fields that an agent does not send, and all stamps.
   */
  readonly writeSame?: (out: ByteWriter, value: FieldValue | undefined, rows: number) => void;
}

/** A column to which rows are added until it is written. A value that is none of its type is taken as the type's default. */
export interface ColumnWriter {
  /** Adds the first `rows` of the values. */
  add(values: ColumnValues, rows: number): void;
  /** Adds so many rows that all hold one value. */
  addSame(value: FieldValue | undefined, rows: number): void;
  /** `undo` will go back to here. */
  mark(): void;
  /** Takes back what was added since the last mark, also if adding it has thrown. */
  undo(): void;
  /** Writes the column's data; there are no rows in it any more. A column without rows may be written as nothing. */
  finish(out: ByteWriter): void;
  /** Forgets all rows. */
  clear(): void;
}

/** Writes the first `rows` of the values, one after the other. */
export type WriteRows = (out: ByteWriter, values: ColumnValues, rows: number) => void;

/** `writeSame` of a type whose rows stand one after the other: one row is written and copied. */
export function repeatRow(write: WriteRows): NonNullable<WireType['writeSame']> {
  const row: (FieldValue | undefined)[] = [];
  return (out, value, rows) => {
    const start = out.offset;
    row[0] = value;
    write(out, row, 1);
    out.repeat(start, rows);
  };
}
