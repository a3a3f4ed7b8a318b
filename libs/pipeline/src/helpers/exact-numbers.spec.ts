import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isExact, parseExact } from './exact-numbers.js';

/** The value that is wanted, made the slow way: text where JSON.parse rounds. */
const asText = (value: unknown): unknown =>
  typeof value === 'number' && !isExact(value) ? JSON.stringify(value) : value;

describe('parseExact', () => {
  it('reads what JSON.parse reads, and rounded numbers digit for digit', () => {
    const text =
      '{"a":12345678901234567890,"b":[-0,1.5e3,1e400,-9007199254740993],"12":"12345678901234567890"}';
    expect(parseExact(Buffer.from(text))).toEqual({
      a: '12345678901234567890',
      b: [-0, 1500, '1e400', '-9007199254740993'],
      '12': '12345678901234567890',
    });
  });

  it('agrees with JSON.parse on any text', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, ' '), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const wanted: unknown = JSON.parse(text, (_key, each: unknown) => asText(each));
        const read = JSON.stringify(parseExact(Buffer.from(text)));
        // Digits may be written otherwise ("1e21" and 1e+21), so numbers are compared as numbers.
        expect(JSON.parse(read, (_key, each: unknown) => asText(each))).toEqual(wanted);
      }),
    );
  });

  it.each([
    ['backslashes', '\\\\'],
    ['quotes', '\\"'],
    ['escaped letters', '\\u0041'],
  ])('reads a long string of %s', (_name, escape) => {
    const text = `{"n":12345678901234567890,"X":"${escape.repeat(4_000_000)}1"}`;
    const read = parseExact(Buffer.from(text)) as { n: string; X: string };
    expect(read.n).toBe('12345678901234567890');
    expect(read.X === (JSON.parse(text) as { X: string }).X).toBe(true);
  });
});
