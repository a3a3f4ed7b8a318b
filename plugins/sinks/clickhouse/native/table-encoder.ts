import {
  type EventRecord,
  type EventType,
  type FieldSpec,
  type FieldValue,
  type OriginRun,
  type RecordBatch,
  METADATA_FIELDS,
} from '@activity-gateway/pipeline/api';
import { compileFunction } from '@activity-gateway/pipeline/helpers';
import type { ByteWriter } from './byte-writer.js';
import { chooseType } from './choose-type.js';
import { ColumnBuilder } from './column-builder.js';
import { DICTIONARY, IP_DICTIONARY } from './dictionary.js';
import type { WireType } from './wire-type.js';

/** Types of a table's columns, by column. */
export type TableTypes = ReadonlyMap<string, string>;

interface Column {
  /** Name, type and, for a dictionary, its version: what is the same in every block. */
  readonly header: Buffer;
  readonly builder: ColumnBuilder;
}

interface StampColumn extends Column {
  readonly valueOf: StampValue;
}

/** Gives a stamp of a run. */
type StampValue = (run: OriginRun) => FieldValue;

/** Gives the values of one field, or the first one and `true` when all of them are the same. */
type Collect = (records: readonly EventRecord[], values: (FieldValue | undefined)[]) => boolean;

interface RecordColumn extends Column {
  readonly collect: Collect;
}

/** The entry id is known when the block ends. */
const ENTRY_ID = 'ingest_batch';

const STAMPS: Readonly<Record<Exclude<keyof typeof METADATA_FIELDS, typeof ENTRY_ID>, StampValue>> = {
  received_at: (run) => run.receivedAt,
  agent_spki: (run) => run.origin.sender,
  agent_host: (run) => run.origin.senderHost,
  source_ip: (run) => run.origin.sourceIp,
};

/** Fields of an event type's table: its own and the gateway's stamps. */
export function tableFields(type: EventType): Readonly<Record<string, FieldSpec>> {
  return { ...type.fields, ...METADATA_FIELDS };
}

/**
 * Encodes records of one event type as Native blocks: `varint columns, varint rows`, then column after column. Blocks
 * name their columns and types themselves, so that they can be concatenated, whatever table types each was made for.
 *
 * A block is made of batches that are added one after the other, so that records are read while the processor still has
 * them at hand: 0.4 us a file event, where 1,000 that were kept for one block took 0.7.
 */
export class TableEncoder {
  readonly #columns: readonly RecordColumn[];
  readonly #stamps: readonly StampColumn[];
  readonly #entryId: Column;
  /** Values of the column that is being added to. */
  readonly #values: (FieldValue | undefined)[] = [];
  #rows = 0;
  #marked = 0;

  /** @param types of the table's columns, where it is known */
  constructor(
    type: EventType,
    readonly types?: TableTypes,
  ) {
    this.#columns = Object.entries(type.fields).map(([name, spec]) => ({
      collect: collectorOf(name),
      ...column(name, chooseType(spec, types?.get(name))),
    }));
    this.#stamps = Object.entries(STAMPS).map(([name, valueOf]) => ({
      valueOf,
      ...column(name, stampType(name as keyof typeof STAMPS, types)),
    }));
    this.#entryId = column(ENTRY_ID, DICTIONARY);
  }

  /** Rows of the block so far. */
  get rows(): number {
    return this.#rows;
  }

  /** Adds the records of a batch to the block. */
  add({ records, runs }: RecordBatch): void {
    this.#marked = this.#rows;
    for (const { builder } of this.#columns) builder.mark();
    for (const { builder } of this.#stamps) builder.mark();
    const rows = records.length;
    if (rows === 0) return;
    for (const { collect, builder } of this.#columns) {
      builder.add(this.#values, rows, collect(records, this.#values));
    }
    for (const { valueOf, builder } of this.#stamps) {
      builder.add(this.#values, rows, fill(runs, valueOf, this.#values));
    }
    this.#rows += rows;
  }

  /** Takes the last batch out again, also if adding it has thrown. */
  undo(): void {
    this.#rows = this.#marked;
    for (const { builder } of this.#columns) builder.undo();
    for (const { builder } of this.#stamps) builder.undo();
  }

  /** Writes the block; the next batch begins another. A block without rows is written as nothing at all. */
  finish(entryId: string, out: ByteWriter): void {
    const rows = this.#rows;
    if (rows === 0) return;
    out.varint(this.#columns.length + this.#stamps.length + 1);
    out.varint(rows);
    for (const each of this.#columns) write(each, out);
    for (const each of this.#stamps) write(each, out);
    this.#entryId.builder.add([entryId], rows, true);
    write(this.#entryId, out);
    this.#rows = this.#marked = 0;
  }
}

/**
 * As for any field. But entry id and address are few values in a block, or one: as dictionaries, whatever the table makes of
 * them, 55 bytes a row less go to disk and over the wire, where a file event has 170.
 */
function stampType(name: keyof typeof STAMPS, types: TableTypes | undefined): WireType {
  return name === 'source_ip' ? IP_DICTIONARY : chooseType(METADATA_FIELDS[name], types?.get(name));
}

function write({ header, builder }: Column, out: ByteWriter): void {
  out.raw(header);
  builder.finish(out);
}

function column(name: string, type: WireType): Column {
  return {
    builder: new ColumnBuilder(type),
    header: Buffer.concat([text(name), text(type.name), type.prefix ?? Buffer.alloc(0)]),
  };
}

/** Names and types are shorter than 128 bytes, so that their length is one byte. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}

/**
 * Reads one property of many records. Each field has code of its own, so that the engine learns one place of one shape
 * there: a quarter less time an event than a function that takes the name. Of a column with one value only the first is
 * set: 0.03 to 0.08 us less a file event than setting all of them. The name is quoted, whatever it holds.
 */
function collectorOf(name: string): Collect {
  const field = JSON.stringify(name);
  const body = `
    const first = records[0][${field}];
    values[0] = first;
    let same = 1;
    while (same < records.length && records[same][${field}] === first) same++;
    if (same === records.length) return true;
    for (let row = 1; row < same; row++) values[row] = first;
    for (let row = same; row < records.length; row++) values[row] = records[row][${field}];
    return false;`;
  return compileFunction<Collect>(['records', 'values'], body);
}

/** Gives the values of a stamp; returns whether all of them are the same. */
function fill(runs: readonly OriginRun[], valueOf: StampValue, values: (FieldValue | undefined)[]): boolean {
  let row = 0;
  let same = true;
  for (const run of runs) {
    const value = valueOf(run);
    if (row > 0 && value !== values[0]) same = false;
    for (const end = row + run.count; row < end; row++) values[row] = value;
  }
  return same;
}
