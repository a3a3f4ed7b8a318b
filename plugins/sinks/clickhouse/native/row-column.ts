import type { FieldValue } from '@activity-gateway/pipeline/api';
import { ByteWriter } from './byte-writer.js';
import { repeatRow, type ColumnValues, type ColumnWriter, type WriteRows } from './wire-type.js';

/** A table has some 30 columns, of which most need nothing: one that does grows to 16 to 200 KiB. */
const INITIAL_BYTES = 4 * 1024;
/** What a column's buffer may be of to be kept, bytes: an entry is of 1 MiB of messages, mostly. */
export const KEPT_COLUMN_BYTES = 2 * 1024 * 1024;

/** A column whose rows stand one after the other. */
export class RowColumn implements ColumnWriter {
  readonly #out = new ByteWriter(INITIAL_BYTES, KEPT_COLUMN_BYTES);
  readonly #writeSame: ReturnType<typeof repeatRow>;
  #marked = 0;

  constructor(private readonly write: WriteRows) {
    this.#writeSame = repeatRow(write);
  }

  add(values: ColumnValues, rows: number): void {
    this.write(this.#out, values, rows);
  }

  addSame(value: FieldValue | undefined, rows: number): void {
    this.#writeSame(this.#out, value, rows);
  }

  mark(): void {
    this.#marked = this.#out.offset;
  }

  undo(): void {
    this.#out.offset = this.#marked;
  }

  finish(out: ByteWriter): void {
    out.append(this.#out);
    this.clear();
  }

  clear(): void {
    this.#out.clear();
    this.#marked = 0;
  }
}
