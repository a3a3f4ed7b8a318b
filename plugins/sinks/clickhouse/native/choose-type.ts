import type { FieldKind, FieldSpec } from '@activity-gateway/pipeline/api';
import { arrayOf, mapOf } from './collections.js';
import { DICTIONARY } from './dictionary.js';
import { BOOL, IP, nullable, STRING, TIME, UINT16, UINT64, UINT8 } from './scalars.js';
import type { WireType } from './wire-type.js';

const DEFAULTS: Readonly<Record<FieldKind, WireType>> = {
  time: TIME,
  text: STRING,
  keyword: DICTIONARY,
  ip: IP,
  uint8: UINT8,
  uint16: UINT16,
  uint64: UINT64,
  bool: BOOL,
  'text[]': arrayOf(STRING),
  'keyword[]': arrayOf(DICTIONARY),
  'uint64[]': arrayOf(UINT64),
  'bool[]': arrayOf(BOOL),
  'keyword-map': mapOf(DICTIONARY, STRING),
};

/** Other forms in which a kind can be sent, by the type of the table's column. */
const ALTERNATIVES: Readonly<Partial<Record<FieldKind, Readonly<Record<string, WireType>>>>> = {
  text: { 'LowCardinality(String)': DICTIONARY },
  keyword: { String: STRING },
  'text[]': { 'Array(LowCardinality(String))': arrayOf(DICTIONARY) },
  'keyword[]': { 'Array(String)': arrayOf(STRING) },
  'keyword-map': { 'Map(String, String)': mapOf(STRING, STRING) },
};

/**
 * The form in which a field is sent.
 * @param tableType type of the table's column. What has no form of its own is sent in the kind's usual one, which
 *   ClickHouse converts (to `DateTime`, `FixedString`, an enumeration ...); without it, the table is not known yet.
 */
export function chooseType(spec: FieldSpec, tableType?: string): WireType {
  if (spec.nullable !== true) return baseType(spec.kind, tableType);
  // Into a column that takes no NULL, what is missing goes as the type's default.
  if (tableType !== undefined && !/\bNullable\(/.test(tableType)) return baseType(spec.kind, tableType);
  // ClickHouse has no Nullable(LowCardinality(..)): such a keyword goes as plain text.
  return nullable(spec.kind === 'keyword' ? STRING : baseType(spec.kind));
}

function baseType(kind: FieldKind, tableType?: string): WireType {
  const alternative = tableType === undefined ? undefined : ALTERNATIVES[kind]?.[tableType];
  return alternative ?? DEFAULTS[kind];
}
