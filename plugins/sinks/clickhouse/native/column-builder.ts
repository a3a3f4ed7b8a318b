import type { FieldValue } from '@activity-gateway/pipeline/api';
import type { ByteWriter } from './byte-writer.js';
import type { ColumnValues, ColumnWriter, WireType } from './wire-type.js';

/**
 * A column of a block that is being made. While all of its rows hold one value, only that and their number are kept: of
 * 33 columns of a file event, 20 mostly do in a whole block, which takes a third off the encoding.
 */
export class ColumnBuilder {
  readonly #column: ColumnWriter;
  /** Whether the rows are in `#column`; until then there are `#rows` of `#value`. */
  #open = false;
  #value: FieldValue | undefined;
  #rows = 0;
  readonly #marked = { open: false, value: undefined as FieldValue | undefined, rows: 0 };

  constructor(private readonly type: WireType) {
    this.#column = type.open();
  }

  /**
   * Adds the first `rows` of the values.
   * @param same whether all of them are the same; then only the first one is looked at
   */
  add(values: ColumnValues, rows: number, same: boolean): void {
    if (!this.#open) {
      if (same && (this.#rows === 0 || values[0] === this.#value)) {
        this.#value = values[0];
        this.#rows += rows;
        return;
      }
      this.#begin();
    }
    if (same) this.#column.addSame(values[0], rows);
    else this.#column.add(values, rows);
  }

  /** `undo` will go back to here. */
  mark(): void {
    this.#marked.open = this.#open;
    this.#marked.value = this.#value;
    this.#marked.rows = this.#rows;
    if (this.#open) this.#column.mark();
  }

  /** Takes back what was added since the last mark, also if adding it has thrown. */
  undo(): void {
    const { open, value, rows } = this.#marked;
    if (open) this.#column.undo();
    else this.#column.clear();
    this.#open = open;
    this.#value = value;
    this.#rows = rows;
  }

  /** Writes the column's data; there are no rows in it any more. */
  finish(out: ByteWriter): void {
    if (!this.#open && this.type.writeSame !== undefined) {
      this.type.writeSame(out, this.#value, this.#rows);
    } else {
      if (!this.#open) this.#begin();
      this.#column.finish(out);
    }
    this.#open = false;
    this.#value = undefined;
    this.#rows = 0;
    this.mark();
  }

  #begin(): void {
    this.#open = true;
    if (this.#rows > 0) this.#column.addSame(this.#value, this.#rows);
    this.#value = undefined;
    this.#rows = 0;
  }
}
