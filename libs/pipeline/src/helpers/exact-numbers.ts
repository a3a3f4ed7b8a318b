import { RejectError } from '../api/index.js';
import { endOfString } from './json-shape.js';

const QUOTE = 0x22;

/** 1 for a byte that a number begins with, 2 for one that only goes on with it. */
const NUMERIC = new Uint8Array(256);
for (const character of '-0123456789') NUMERIC[character.charCodeAt(0)] = 1;
for (const character of '+.eE') NUMERIC[character.charCodeAt(0)] = 2;

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

/**
 * JSON.parse, with numbers that it would round as text, digit for digit.
 * @param raw a text that JSON.parse takes
 */
export function parseExact(raw: Uint8Array): unknown {
  const json = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const parts: string[] = [];
  let copied = 0;
  for (let at = 0; at < json.length;) {
    const byte = json[at] ?? 0;
    if (byte === QUOTE) at = endOfString(json, at + 1, json.length);
    else if (NUMERIC[byte] !== 1) at += 1;
    else {
      const start = at;
      while (NUMERIC[json[at] ?? 0] !== 0) at += 1;
      const number = json.toString('latin1', start, at);
      if (isExact(Number(number))) continue;
      parts.push(json.toString('utf8', copied, start), `"${number}"`);
      copied = at;
    }
  }
  parts.push(json.toString('utf8', copied));
  return JSON.parse(parts.join(''));
}
