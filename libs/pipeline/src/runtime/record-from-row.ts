import {
  RejectError,
  type EventRecord,
  type EventType,
  type FieldSpec,
  type FieldValue,
} from '../api/index.js';
import { coerceIp, parseExact } from '../helpers/index.js';

/**
 * The record of a row that a destination refused: JSON by the fields' names, times as ISO 8601.
 * @throws RejectError when the row does not fit the event type, as after a change of the type
 */
export function recordFromRow(type: EventType, raw: string): EventRecord {
  const row = parse(raw);
  const record: EventRecord = {};
  for (const [name, spec] of Object.entries(type.fields)) record[name] = fieldValue(name, spec, row[name]);
  return record;
}

function parse(raw: string): Readonly<Record<string, unknown>> {
  try {
    const row = parseExact(Buffer.from(raw));
    if (typeof row === 'object' && row !== null) return row as Readonly<Record<string, unknown>>;
  } catch {
    // Said below: the text may hold what an event says.
  }
  throw new RejectError('row_unreadable', '', 'The dead letter holds no row as JSON.', 'sink');
}

function fieldValue(name: string, { kind, nullable }: FieldSpec, value: unknown): FieldValue {
  if (value === null && nullable === true) return null;
  const found = kind.endsWith('[]') ? arrayOf(kind.slice(0, -2), value) : scalar(kind, value);
  if (found !== undefined) return found;
  throw new RejectError('row_unreadable', `/${name}`, `The row has no ${kind} in ${name}.`, 'sink');
}

function arrayOf(kind: string, value: unknown): FieldValue | undefined {
  if (!Array.isArray(value)) return undefined;
  const values = value.map((each) => scalar(kind, each));
  return values.includes(undefined) ? undefined : (values as readonly string[]);
}

function scalar(kind: string, value: unknown): FieldValue | undefined {
  switch (kind) {
    case 'time':
      return timeOf(value);
    case 'text':
    case 'keyword':
      return typeof value === 'string' ? value : undefined;
    case 'ip':
      return coerceIp(value) ?? undefined;
    case 'bool':
      return typeof value === 'boolean' ? value : undefined;
    case 'keyword-map':
      return typeof value === 'object' && value !== null ? new Map(Object.entries(value)) : undefined;
    default:
      return integerOf(value);
  }
}

function timeOf(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isNaN(time) ? undefined : time;
}

/** Numbers beyond 2^53 come as text, digit for digit. */
function integerOf(value: unknown): number | bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  return typeof value === 'string' && /^\d{1,20}$/.test(value) ? BigInt(value) : undefined;
}
