import type { EventType } from '@app/pipeline/api';
import { chooseType } from './native/choose-type.js';
import { tableFields, type TableTypes } from './native/table-encoder.js';
import { quoteName, quoteText } from './sql.js';

/** A column as blocks bring it and as its table holds it. */
export interface InsertColumn {
  readonly name: string;
  /** Type of the values in the blocks; blocks of other encoders are converted to it without loss. */
  readonly wire: string;
  /** Type of the table's column. */
  readonly stored: string;
  /** Whether the table's type is a smaller integer: ClickHouse would cut the high bits off without a word. */
  readonly narrow: boolean;
}

/** Columns of an event type's table; without table types, as the migrations make them. */
export function insertColumns(type: EventType, types: TableTypes = new Map()): InsertColumn[] {
  return Object.entries(tableFields(type)).map(([name, spec]) => {
    const wire = chooseType(spec).name;
    const stored = types.get(name) ?? wire;
    return { name, wire, stored, narrow: isNarrower(stored, wire) };
  });
}

const INTEGER = /^(?:Nullable\()?(U?)Int(\d+)\)?$/;

/** Values come unsigned, so that a signed type of the same width is too small as well. */
function isNarrower(stored: string, wire: string): boolean {
  const to = INTEGER.exec(stored);
  const from = INTEGER.exec(wire);
  if (to === null || from === null) return false;
  const [, unsigned, bits] = to;
  return Number(bits) < Number(from[2]) || (unsigned === '' && Number(bits) === Number(from[2]));
}

/** `input(..)` over blocks of these columns. */
export function inputOf(columns: readonly InsertColumn[]): string {
  const structure = columns.map(({ name, wire }) => `${quoteName(name)} ${wire}`).join(', ');
  return `input(${quoteText(structure)})`;
}

/**
 * What stands for a column in a SELECT over blocks.
 * @param exact whether it has to have the table's type already, not only to be converted to it when it is stored
 */
export function valueOf({ name, wire, stored, narrow }: InsertColumn, exact: boolean): string {
  const column = quoteName(name);
  if (narrow) return `accurateCast(${column}, ${quoteText(stored)}) AS ${column}`;
  if (!exact || wire === stored) return column;
  // As an insert does by default: what is missing becomes the default of a type that has no NULL.
  const given =
    wire.startsWith('Nullable(') && !/\bNullable\(/.test(stored) ? `assumeNotNull(${column})` : column;
  return `CAST(${given}, ${quoteText(stored)}) AS ${column}`;
}
