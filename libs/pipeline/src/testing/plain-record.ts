import type { EventRecord } from '../api/index.js';

/** A record as JSON can say it: a bigint as its text, a Map as an object, `undefined` as a text that stands out. */
export function plainRecord(record: EventRecord): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, plainValue(value)]));
}

function plainValue(value: unknown): unknown {
  if (value === undefined) return '<undefined>';
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, each]) => [String(key), plainValue(each)]));
  }
  return Array.isArray(value) ? value.map(plainValue) : value;
}
