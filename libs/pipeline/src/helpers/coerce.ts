import { RejectError } from '../api/index.js';
import { InexactNumber, isExact } from './exact-numbers.js';
import { jsonType, pointer } from './reject.js';

const MAX_UINT64 = 2n ** 64n - 1n;
/** Given for every absent list: most events have none, and a column that holds one value only is written at once. */
const NO_TEXTS: readonly string[] = Object.freeze([]);
const UNSIGNED = /^\s*(?:\d{1,20}|0x[0-9a-f]{1,16})\s*$/i;

/** Longest path in characters (UTF-16 units), as Windows limits it. */
export const MAX_PATH_LENGTH = 32_767;

/**
 * Text of a string, number or boolean; the empty string for null and undefined.
 * @param field JSON pointer for the reject
 * @throws RejectError `wrong_type` for objects and arrays
 */
export function coerceText(value: unknown, field: string): string {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return '';
  if (typeof value !== 'number' && typeof value !== 'boolean') throw wrongType(value, field, 'text');
  if (!isExact(value)) throw new InexactNumber(field);
  return String(value);
}

/**
 * Like `coerceText`, for a key that must say something.
 * @throws RejectError `missing_key` when it is absent, null or empty; `wrong_type`
 */
export function requireText(value: unknown, field: string): string {
  const text = coerceText(value, field);
  if (text === '') throw missingKey(field);
  return text;
}

/**
 * Like `coerceText`, for a path.
 * @throws RejectError `too_long` over `MAX_PATH_LENGTH`; `wrong_type`
 */
export function coercePath(value: unknown, field: string): string {
  const text = coerceText(value, field);
  if (text.length > MAX_PATH_LENGTH) {
    throw new RejectError('too_long', field, `A path has at most ${MAX_PATH_LENGTH} characters.`);
  }
  return text;
}

/**
 * A boolean from a boolean, 0 or 1, or the texts true, false, 1, 0 in any case; `fallback` for null, undefined and
 * an empty text.
 * @throws RejectError `wrong_type`
 */
export function coerceBool(value: unknown, fallback: boolean, field: string): boolean {
  if (typeof value === 'boolean') return value;
  if (value === undefined || value === null) return fallback;
  if (value === 1) return true;
  if (value === 0) return false;
  if (typeof value !== 'string') throw wrongType(value, field, 'true or false');
  const text = value.trim().toLowerCase();
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  if (text === '') return fallback;
  throw wrongType(value, field, 'true or false');
}

/** A whole number from 0 to 255; see `coerceUint64`. */
export function coerceUint8(value: unknown, field: string): number | null {
  return coerceSmall(value, 255, field);
}

/** A whole number from 0 to 65,535; see `coerceUint64`. */
export function coerceUint16(value: unknown, field: string): number | null {
  return coerceSmall(value, 65_535, field);
}

/**
 * A whole number from 0 to 2^64 - 1 from a number or its text, decimal or hexadecimal with `0x`; a bigint above
 * 2^53 - 1. Null for null, undefined and an empty text.
 * @throws RejectError `wrong_type` for what is no number, `invalid_value` for one out of range or with a fraction
 */
export function coerceUint64(value: unknown, field: string): number | bigint | null {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value) && value >= 0) return value;
    throw isExact(value) ? outOfRange(MAX_UINT64, field) : new InexactNumber(field);
  }
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw wrongType(value, field, 'a whole number');
  return uint64FromText(value, field);
}

function uint64FromText(text: string, field: string): number | bigint | null {
  if (!UNSIGNED.test(text)) {
    const trimmed = text.trim();
    if (trimmed === '') return null;
    if (Number.isNaN(Number(trimmed))) throw wrongType(text, field, 'a whole number');
    throw outOfRange(MAX_UINT64, field);
  }
  const number = Number(text);
  if (Number.isSafeInteger(number)) return number;
  const big = BigInt(text.trim());
  if (big > MAX_UINT64) throw outOfRange(MAX_UINT64, field);
  return big;
}

function coerceSmall(value: unknown, max: number, field: string): number | null {
  const number = coerceUint64(value, field);
  if (number === null || (typeof number === 'number' && number <= max)) return number;
  throw outOfRange(BigInt(max), field);
}

/**
 * Texts from an array of scalars, as sent but for nulls, or from a comma list, trimmed and without empty parts.
 * @throws RejectError `wrong_type`, with the element's pointer where one element is wrong
 */
export function coerceTextList(value: unknown, field: string): readonly string[] {
  if (value === undefined || value === null) return NO_TEXTS;
  if (Array.isArray(value)) return textsOfScalars(value, field);
  const parts = coerceText(value, field).split(',');
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

function textsOfScalars(elements: readonly unknown[], field: string): readonly string[] {
  const texts: string[] = [];
  for (let index = 0; index < elements.length; index += 1) {
    const element = elements[index];
    // Mostly it is text, and needs no pointer.
    if (typeof element === 'string') texts.push(element);
    else if (element !== null) texts.push(coerceText(element, field + pointer(index)));
  }
  return texts;
}

/** The reject for a required key that is absent or empty. */
export function missingKey(field: string): RejectError {
  return new RejectError(
    'missing_key',
    field,
    `The key ${field.slice(1)} is required and must not be empty.`,
  );
}

function wrongType(value: unknown, field: string, wanted: string): RejectError {
  const sent = typeof value === 'string' ? 'other text' : jsonType(value);
  return new RejectError(
    'wrong_type',
    field,
    `The value of ${field.slice(1)} must be ${wanted}, not ${sent}.`,
  );
}

function outOfRange(max: bigint, field: string): RejectError {
  return new RejectError(
    'invalid_value',
    field,
    `The value of ${field.slice(1)} must be a whole number from 0 to ${max}.`,
  );
}
