import type { EventType } from '@activity-gateway/pipeline/api';
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
  /** Whether values have to be converted to the table's type, so that some may not fit. */
  readonly converted: boolean;
}

/** Columns of an event type's table; without table types, as the migrations make them. */
export function insertColumns(type: EventType, types: TableTypes = new Map()): InsertColumn[] {
  return Object.entries(tableFields(type)).map(([name, spec]) => {
    const wire = chooseType(spec).name;
    const stored = types.get(name) ?? wire;
    const [from, to] = [valuesOf(wire), valuesOf(stored)];
    return { name, wire, stored, converted: from !== to && from !== `Nullable(${to})` };
  });
}

const DICTIONARY = /LowCardinality\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\)/g;
const NULLABLE = /^Nullable\((.*)\)$/s;
const INTEGER = /^U?Int\d+$/;

/** A type without what changes none of its values: dictionaries and time zones. */
function valuesOf(type: string): string {
  return type
    .replace(DICTIONARY, '$1')
    .replace(/DateTime64\((\d), '[^']*'\)/g, 'DateTime64($1)')
    .replace(/DateTime\('[^']*'\)/g, 'DateTime');
}

/**
 * Whether a value that does not fit is refused. Into a NULL inside of an array or a map ClickHouse turns it silently,
 * whatever function converts it.
 */
export function isCheckable({ wire, stored }: Pick<InsertColumn, 'wire' | 'stored'>): boolean {
  const [from, to] = [innerOf(wire), innerOf(stored)];
  return !to.includes('Nullable(') || to.replace(/Nullable\(([^()]*)\)/g, '$1') === from;
}

/** The type of values that are there, without dictionaries. */
function innerOf(type: string): string {
  const plain = type.replace(DICTIONARY, '$1');
  return NULLABLE.exec(plain)?.[1] ?? plain;
}

/** Names and types of the columns of blocks. */
export function structureOfBlocks(columns: readonly InsertColumn[]): string {
  return columns.map(({ name, wire }) => `${quoteName(name)} ${wire}`).join(', ');
}

/** `input(..)` over blocks of these columns. */
export function inputOf(columns: readonly InsertColumn[]): string {
  return `input(${quoteText(structureOfBlocks(columns))})`;
}

/**
 * What stands for a column in a SELECT over blocks: its value in the table's type, or an error for one that does not fit.
 * What is missing becomes the default of a type that has no NULL. A cast to a Nullable type would turn values that do not
 * fit into NULL, so only values that are there are cast.
 */
export function valueOf({ name, wire, stored }: InsertColumn): string {
  const column = quoteName(name);
  const isNullable = NULLABLE.test(wire);
  const takesNull = /^(?:LowCardinality\()?Nullable\(/.test(stored);
  const [from, to] = [innerOf(wire), innerOf(stored)];
  if (from === to && isNullable === takesNull) return column;
  const given = isNullable ? `assumeNotNull(${column})` : column;
  const value = from === to ? given : castOf(given, from, to);
  if (!isNullable) return `${value} AS ${column}`;
  const missing = takesNull ? 'NULL' : `defaultValueOfTypeName(${quoteText(to)})`;
  return `if(isNull(${column}), ${missing}, ${value}) AS ${column}`;
}

/** A conversion that fails rather than change a value; to Bool, any number but 0 would become true. */
function castOf(value: string, from: string, to: string): string {
  const cast = (what: string, type: string): string => `accurateCast(${what}, ${quoteText(type)})`;
  if (to !== 'Bool' || !INTEGER.test(from)) return cast(value, to);
  return cast(cast(value, "Enum8('0' = 0, '1' = 1)"), to);
}
