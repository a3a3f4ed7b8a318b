import type { Random } from './random.js';

/** A text as it stands between the quotes of a JSON string. */
export function escapeJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Every item as often as its weight says, so that a plain pick is a weighted one. */
export function weighted<T>(weights: readonly (readonly [T, number])[]): T[] {
  return weights.flatMap(([item, weight]) => Array.from({ length: weight }, () => item));
}

/** Hexadecimal digits of 0 to 65,535: identifiers are made of them much faster than with `toString(16)`. */
const HEX4 = Array.from({ length: 65_536 }, (_, value) => value.toString(16).padStart(4, '0'));

function hex4(bits: number): string {
  return HEX4[bits & 0xffff] as string;
}

/** A GUID of version 4. */
export function guid(random: Random): string {
  const a = random.next();
  const b = random.next();
  const c = random.next();
  const d = random.next();
  const version = hex4((b & 0x0fff) | 0x4000);
  const variant = hex4((c & 0x3fff) | 0x8000);
  return `${hex4(a >>> 16)}${hex4(a)}-${hex4(b >>> 16)}-${version}-${variant}-${hex4(c >>> 16)}${hex4(d >>> 16)}${hex4(d)}`;
}

/** A number, now and then as a JSON string, as real senders do. */
export function numberText(random: Random, value: number): string {
  return random.oneIn(16) ? `"${value}"` : `${value}`;
}

/** A boolean, now and then as a JSON string. */
export function booleanText(random: Random, value: boolean): string {
  if (!random.oneIn(16)) return value ? 'true' : 'false';
  return value ? '"True"' : '"False"';
}
