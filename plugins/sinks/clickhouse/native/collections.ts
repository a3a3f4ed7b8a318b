import type { FieldValue } from '@activity-gateway/pipeline/api';
import type { ByteWriter } from './byte-writer.js';
import { RowColumn } from './row-column.js';
import type { ColumnValues, ColumnWriter, WireType } from './wire-type.js';

/** An array: where each row's elements end, then the elements of all rows. */
export function arrayOf(type: WireType): WireType {
  const open = (): ColumnWriter => new ArrayColumn(type.open());
  return {
    name: `Array(${type.name})`,
    ...(type.prefix && { prefix: type.prefix }),
    open,
    writeSame(out, value, rows) {
      // All rows empty is the usual case.
      if (!Array.isArray(value) || value.length === 0) return out.fill(0, rows * 8);
      const column = open();
      column.addSame(value, rows);
      column.finish(out);
    },
  };
}

/** A map: as an array of its pairs, the keys of all rows before the values of all rows. */
export function mapOf(keyType: WireType, valueType: WireType): WireType {
  return {
    name: `Map(${keyType.name}, ${valueType.name})`,
    ...(keyType.prefix && { prefix: keyType.prefix }),
    open: () => new MapColumn(keyType.open(), valueType.open()),
  };
}

/** What arrays and maps have in common: where the elements of each row end, and columns of the elements. */
abstract class CollectionColumn implements ColumnWriter {
  readonly #ends = new RowColumn(writeEnds);
  readonly #elements: readonly ColumnWriter[];
  #count = 0;
  #marked = 0;

  constructor(...elements: ColumnWriter[]) {
    this.#elements = elements;
  }

  add(values: ColumnValues, rows: number): void {
    const ends: number[] = [];
    const before = this.#count;
    for (let row = 0; row < rows; row++) {
      this.#count += this.gather(values[row]);
      ends.push(this.#count);
    }
    this.#ends.add(ends, rows);
    if (this.#count > before) this.addGathered(this.#count - before);
  }

  addSame(value: FieldValue | undefined, rows: number): void {
    this.add(new Array<FieldValue | undefined>(rows).fill(value), rows);
  }

  mark(): void {
    this.#marked = this.#count;
    this.#ends.mark();
    for (const column of this.#elements) column.mark();
  }

  undo(): void {
    this.#count = this.#marked;
    this.#ends.undo();
    for (const column of this.#elements) column.undo();
    this.forget();
  }

  finish(out: ByteWriter): void {
    this.#ends.finish(out);
    // Of no elements nothing is written, not even an empty dictionary.
    if (this.#count > 0) for (const column of this.#elements) column.finish(out);
    this.#count = this.#marked = 0;
  }

  clear(): void {
    this.#count = this.#marked = 0;
    this.#ends.clear();
    for (const column of this.#elements) column.clear();
    this.forget();
  }

  /** Notes the elements of a row, and returns how many they are. */
  protected abstract gather(value: FieldValue | undefined): number;
  /** Adds the elements that were noted. */
  protected abstract addGathered(count: number): void;
  /** Forgets elements that were noted. */
  protected abstract forget(): void;
}

class ArrayColumn extends CollectionColumn {
  readonly #flat: FieldValue[] = [];

  constructor(private readonly elements: ColumnWriter) {
    super(elements);
  }

  protected gather(value: FieldValue | undefined): number {
    if (!Array.isArray(value)) return 0;
    const elements = value as readonly FieldValue[];
    for (let index = 0; index < elements.length; index++) this.#flat.push(elements[index] ?? null);
    return elements.length;
  }

  protected addGathered(count: number): void {
    this.elements.add(this.#flat, count);
    this.forget();
  }

  protected forget(): void {
    this.#flat.length = 0;
  }
}

class MapColumn extends CollectionColumn {
  readonly #keys: string[] = [];
  readonly #texts: string[] = [];

  constructor(
    private readonly keys: ColumnWriter,
    private readonly texts: ColumnWriter,
  ) {
    super(keys, texts);
  }

  protected gather(value: FieldValue | undefined): number {
    if (!(value instanceof Map)) return 0;
    for (const [key, text] of value as ReadonlyMap<string, string>) {
      this.#keys.push(key);
      this.#texts.push(text);
    }
    return value.size;
  }

  protected addGathered(count: number): void {
    this.keys.add(this.#keys, count);
    this.texts.add(this.#texts, count);
    this.forget();
  }

  protected forget(): void {
    this.#keys.length = this.#texts.length = 0;
  }
}

/** Numbers of elements as 64 bits. */
function writeEnds(out: ByteWriter, ends: ColumnValues, rows: number): void {
  out.reserve(rows * 8);
  for (let row = 0; row < rows; row++) out.int64(ends[row] as number);
}
