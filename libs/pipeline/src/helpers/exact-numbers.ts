import { RejectError } from '../api/index.js';

/** Strings, so that digits inside them are passed over, and numbers. */
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * Thrown for a number that JSON.parse has rounded (beyond 2^53) or could not hold. `parserTransform` reads the message
 * again with `parseExact`; only where it cannot, this becomes a reject.
 */
export class InexactNumber extends RejectError {
  /** @param field JSON pointer of the number */
  constructor(field: string) {
    super('invalid_value', field, 'A number beyond 2^53 has to be sent as text.');
  }
}

/** Whether no number in a value from JSON.parse was rounded to another whole number or to infinity. */
export function isExact(value: unknown): boolean {
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) || (Number.isFinite(value) && !Number.isInteger(value));
  }
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isExact);
  const object = value as Readonly<Record<string, unknown>>;
  for (const key in object) if (!isExact(object[key])) return false;
  return true;
}

/** JSON.parse, with numbers that it would round as text, digit for digit. */
export function parseExact(raw: Uint8Array): unknown {
  const text = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('utf8');
  return JSON.parse(
    text.replace(STRING_OR_NUMBER, (token) =>
      token.startsWith('"') || isExact(Number(token)) ? token : `"${token}"`,
    ),
  );
}
