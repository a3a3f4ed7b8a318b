import type { EventRecord, EventType, FieldKind, FieldSpec } from '../api/index.js';
import { canonicalIp } from '../helpers/index.js';
import { MAX_UINT64 } from './sample-record.js';

/** What is wrong with a record of an event type, one sentence each; empty when it keeps the contract. */
export function recordProblems(type: EventType, record: EventRecord): string[] {
  const expected = Object.keys(type.fields);
  const actual = Object.keys(record);
  if (JSON.stringify(actual) !== JSON.stringify(expected)) {
    return [`has the fields ${actual.join(', ')}; ${type.name} has ${expected.join(', ')}, in this order`];
  }
  const problems = Object.entries(type.fields).flatMap(([name, spec]) =>
    fits(spec, record[name]) ? [] : [`${name} holds no ${spec.kind}: ${describeValue(record[name])}`],
  );
  return [...problems, ...groupProblems(record)];
}

function groupProblems(record: EventRecord): string[] {
  const lengths = new Map<string, number>();
  const problems: string[] = [];
  for (const [name, value] of Object.entries(record)) {
    const [group = '', part] = name.split('.');
    if (part === undefined || !Array.isArray(value)) continue;
    const length = lengths.get(group) ?? value.length;
    lengths.set(group, length);
    if (length !== value.length)
      problems.push(`${name} has ${value.length} elements, others of ${group} ${length}`);
  }
  return problems;
}

function fits(spec: FieldSpec, value: unknown): boolean {
  if (value === null) return spec.nullable === true;
  return FITS[spec.kind](value);
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isBool = (value: unknown): boolean => typeof value === 'boolean';
const isUint = (max: number) => (value: unknown) =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max;
const isUint64 = (value: unknown): boolean =>
  typeof value === 'bigint' ? value >= 0n && value <= MAX_UINT64 : isUint(Number.MAX_SAFE_INTEGER)(value);
const arrayOf = (check: (value: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.every(check);

const FITS: Readonly<Record<FieldKind, (value: unknown) => boolean>> = {
  time: isUint(Number.MAX_SAFE_INTEGER),
  text: isText,
  keyword: isText,
  ip: (value) => typeof value === 'string' && canonicalIp(value) === value,
  uint8: isUint(255),
  uint16: isUint(65_535),
  uint64: isUint64,
  bool: isBool,
  'text[]': arrayOf(isText),
  'keyword[]': arrayOf(isText),
  'uint64[]': arrayOf(isUint64),
  'bool[]': arrayOf(isBool),
  'keyword-map': (value) =>
    value instanceof Map && [...value].every(([key, each]) => isText(key) && isText(each)),
};

function describeValue(value: unknown): string {
  const text = typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? 'undefined');
  return `${text.slice(0, 80)} (${typeof value})`;
}
