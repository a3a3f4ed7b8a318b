import type { ErrorObject } from 'ajv';
import { RejectError, type EventType, type Reject } from '../api/index.js';

/** Reject codes by Ajv keyword; any other keyword is `invalid_value`. */
const CODES: Readonly<Record<string, string>> = {
  required: 'missing_key',
  type: 'wrong_type',
  maxLength: 'too_long',
  maxItems: 'too_long',
  additionalProperties: 'unknown_key',
};

/** One step of a JSON pointer (RFC 6901), with its slash. */
export function pointer(key: string | number): string {
  return `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** What Ajv found. Says which rule was broken, never what the event holds. */
export function schemaError(errors: readonly ErrorObject[] | null | undefined): RejectError {
  const error = errors?.[0];
  if (error === undefined)
    return new RejectError('invalid_value', '', 'The message does not fit its schema.');
  const { keyword, instancePath, data } = error;
  const params = error.params as Readonly<Record<string, unknown>>;
  if (keyword === 'required') {
    const key = String(params['missingProperty']);
    return new RejectError('missing_key', instancePath + pointer(key), `The key ${key} is required.`);
  }
  const name = instancePath === '' ? 'The message' : `The value of ${instancePath.slice(1)}`;
  // Null counts as absent: where a schema does not allow it, the key is required.
  if (keyword === 'type' && data === null) {
    return new RejectError('missing_key', instancePath, `${name} is required and must not be null.`);
  }
  if (keyword === 'type') {
    const wanted = String(params['type']).replaceAll(',', ' or ');
    return new RejectError('wrong_type', instancePath, `${name} must be ${wanted}, not ${jsonType(data)}.`);
  }
  return new RejectError(
    CODES[keyword] ?? 'invalid_value',
    instancePath,
    `${name} ${error.message ?? keyword}.`,
  );
}

/**
 * Converts an error of a parser into a reject: a RejectError names the code, anything else is `decode_failed`.
 */
export function rejectFor(error: unknown, raw: Uint8Array, { type: eventType }: EventType): Reject {
  if (error instanceof RejectError) {
    const { stage, code, field, message } = error;
    return { stage, code, field, message, raw, eventType };
  }
  const name = error instanceof Error ? error.name : typeof error;
  return {
    stage: 'validate',
    code: 'decode_failed',
    field: '',
    message: `The parser failed on this message (${name}); please report it with the message.`,
    raw,
    eventType,
  };
}

/** JSON's name of a value's type. */
export function jsonType(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
