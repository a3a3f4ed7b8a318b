import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LineFramer } from './line-framer.js';
import type { Line } from './line.js';
import { textsOf } from './line-texts.js';

/** Lines as a framer cuts them from chunks that end at these places. */
function cut(bytes: Buffer, ends: readonly number[]): Line[][] {
  const framer = new LineFramer(100_000);
  let at = 0;
  return [...ends, bytes.length].map((end) => {
    const chunk = bytes.subarray(at, Math.max(at, end));
    at = Math.max(at, end);
    return framer.cut(chunk);
  });
}

function expectTexts(lines: readonly Line[]): void {
  expect(textsOf(lines, 0, lines.length)).toEqual(lines.map(({ text }) => text));
}

const LONG = 'x'.repeat(700);
const kinds = {
  'ASCII letters': ['plain', LONG],
  'letters outside ASCII': [`ä€😀${LONG}`, `漢字${LONG}`],
  'few letters outside ASCII': [...Array.from({ length: 20 }, () => LONG), `ä${LONG}`],
  'a byte order mark': [`\ufeff${LONG}é`],
  'a U+FFFD that was sent': [`\ufffd${LONG}`],
};

describe('textsOf', () => {
  it.each(Object.entries(kinds))('gives the text of each line with %s, however it ends', (_what, texts) => {
    for (const end of ['\n', '\r\n', '\n\n', '\n\r\n', '\r\r\n']) {
      const bytes = Buffer.from(
        Array.from({ length: 30 }, () => texts.map((text) => text + end).join('')).join(''),
      );
      for (const ends of [[], [5], [bytes.length >> 1], [3, 4, 20_000]]) {
        for (const lines of cut(bytes, ends)) expectTexts(lines);
      }
    }
  });

  it('gives a part of the lines', () => {
    const [lines = []] = cut(Buffer.from(`ä${LONG}\n\n`.repeat(40)), []);
    expect(textsOf(lines, 10, 30)).toEqual(lines.slice(10, 30).map(({ text }) => text));
    expect(textsOf(lines, 10, 10)).toEqual([]);
    expect(textsOf([], 0, 0)).toEqual([]);
  });

  it('puts U+FFFD where bytes are no UTF-8, in their own line only', () => {
    const broken = Buffer.concat([Buffer.from(`ä${LONG}`), Buffer.of(0xc3, 0x0a)]);
    const surrogate = Buffer.from([...Buffer.from(LONG), 0xed, 0xa0, 0x80, 0x0a]);
    const good = Buffer.from(`ö${LONG}\n`);
    for (const bad of [broken, surrogate]) {
      const [lines = []] = cut(Buffer.concat([good, good, bad, good, good, good, good, good, good]), []);
      expectTexts(lines);
      expect(textsOf(lines, 0, lines.length).filter((text) => text.includes('\ufffd'))).toHaveLength(1);
    }
  });

  it('gives the same as line by line, whatever the bytes', () => {
    const piece = fc.oneof(
      fc.constantFrom('\n', '\r', '\r\n', 'ä', '€', '😀', LONG, `${LONG}ü`).map((text) => Buffer.from(text)),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    );
    const input = fc.tuple(fc.array(piece, { maxLength: 60 }), fc.array(fc.nat(40_000), { maxLength: 5 }));
    fc.assert(
      fc.property(input, ([pieces, ends]) => {
        for (const lines of cut(
          Buffer.concat(pieces),
          ends.toSorted((a, b) => a - b),
        ))
          expectTexts(lines);
      }),
    );
  });
});
