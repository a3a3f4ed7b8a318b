import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LineFramer } from './line-framer.js';

/** Lines that come out when the bytes arrive in chunks of these sizes, with the one that ends the stream. */
function frame(bytes: Buffer, cuts: readonly number[], maxBytes = 1000): string[] {
  const framer = new LineFramer(maxBytes);
  const lines: Buffer[] = [];
  let at = 0;
  for (const cut of [...cuts, bytes.length]) {
    const next = Math.min(bytes.length, Math.max(at, cut));
    lines.push(...framer.push(bytes.subarray(at, next)));
    at = next;
  }
  const last = framer.end();
  if (last !== undefined) lines.push(last);
  return lines.map((line) => line.toString('utf8'));
}

describe('LineFramer', () => {
  it('cuts the same lines at every chunk boundary, inside UTF-8 characters and CR LF too', () => {
    const bytes = Buffer.from('{"a":"ä€😀"}\r\n\n\r\nx\r\ny\rz\nlast 😀');
    const expected = ['{"a":"ä€😀"}', 'x', 'y\rz', 'last 😀'];
    for (let cut = 0; cut <= bytes.length; cut += 1) expect(frame(bytes, [cut])).toEqual(expected);
    expect(
      frame(
        bytes,
        Array.from(bytes, (_byte, index) => index),
      ),
    ).toEqual(expected);
  });

  it('gives any lines back from any chunks', () => {
    const line = fc
      .string({ unit: 'binary', maxLength: 30 })
      .filter((text) => !/[\r\n]|^[\s\0\ufeff]|[\s\0]$/.test(text) && text !== '');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\n\n', '\r\n\r\n')), { maxLength: 20 }),
        fc.array(fc.nat(800), { maxLength: 10 }),
        (lines, cuts) => {
          const sent = lines.map(([text]) => Buffer.from(text).toString());
          const bytes = Buffer.from(lines.map(([text, end]) => text + end).join(''));
          expect(
            frame(
              bytes,
              cuts.toSorted((a, b) => a - b),
            ),
          ).toEqual(sent);
        },
      ),
    );
  });

  it.each([
    ['\ufeff{"a":1}\n', ['{"a":1}']],
    ['{"a":1}\0\n{"a":2}\0\r\n\0{"a":3}\n\0', ['{"a":1}', '{"a":2}', '{"a":3}']],
    [' \t{"a":1} \t\v \f\r\n', ['{"a":1} \t']],
    ['{"a":1}\0 \0\t\n', ['{"a":1}']],
    ['\ufeff\n \n\0\n\t\n\r\r\n\ufeff\ufeff', []],
    ['\n\ufeff{"a":1}\n\ufeff{"a":2}', ['{"a":1}', '{"a":2}']],
    ['  LEEF:1.0|a=b\t \0\r\n', ['LEEF:1.0|a=b\t ']],
    ['{"a": \0 1}\n\xef\n', ['{"a": \0 1}', '\xef']],
    ['a\r\r\n\r', ['a']],
  ])('leaves out what is blank around the lines of %j', (text, lines) => {
    const bytes = Buffer.from(text);
    expect(frame(bytes, [])).toEqual(lines);
    for (let cut = 0; cut <= bytes.length; cut += 1) expect(frame(bytes, [cut])).toEqual(lines);
  });

  it('holds nothing of a blank line, however long it is', () => {
    const framer = new LineFramer(10);
    for (let count = 0; count < 1000; count += 1) framer.push(Buffer.from(' \0\t'));
    expect(framer.pendingBytes).toBe(0);
    expect(framer.push(Buffer.from(' '.repeat(100) + 'x\n')).map(String)).toEqual(['x']);
  });

  describe('octet-counted frames', () => {
    const counted = (text: string): string => `${Buffer.byteLength(text)} ${text}`;
    const one = '<13>1 2026-11-30T20:00:00Z host app - - - LEEF:1.0|V|P|1|96|src=192.0.2.1\tusrName=ü';
    const two = 'LEEF:1.0|V|P|1|E|a=1';

    it.each([
      ['one without LF', counted(one), [one]],
      ['several without LF between them', counted(one) + counted(two) + counted(one), [one, two, one]],
      ['with LF after them', `${counted(one)}\n${counted(two)}\r\n\0${counted(one)}\n`, [one, two, one]],
      ['that count their LF', counted(`${one}\n`) + counted(`${two}\r\n`), [one, two]],
      [
        'between lines',
        `{"a":1}\n${counted(one)}${counted(two)}\n{"a":2}\n${counted(one)}`,
        ['{"a":1}', one, two, '{"a":2}', one],
      ],
      ['of a length that is too large', `999 ${one}\n${two}\n`, [`999 ${one}`, two]],
      ['of a length that is too small', `20 ${one}\n${two}\n`, [`20 ${one}`, two]],
      [
        'of a length that is one too small',
        `86 ${two.replace('E|', `${'E'.repeat(70)}|`)}1\n${two}`,
        [`86 ${two.replace('E|', `${'E'.repeat(70)}|`)}1`, two],
      ],
      [
        'that are none',
        `12 monkeys\n5\n7 \n1234567890 <13>\n${two}\n`,
        ['12 monkeys', '5', '7 ', '1234567890 <13>', two],
      ],
    ])('are lines: %s', (_name, text, lines) => {
      const bytes = Buffer.from(text);
      expect(frame(bytes, [])).toEqual(lines);
      expect(frame(bytes, [7, 30, 31, 90, 100, 101, 102])).toEqual(lines);
    });

    it('come out whole across every chunk boundary, as soon as they are there', () => {
      const bytes = Buffer.from(counted(one) + counted(two));
      for (let cut = 0; cut <= bytes.length; cut += 1) expect(frame(bytes, [cut])).toEqual([one, two]);
      const framer = new LineFramer(1000);
      const lines: string[] = [];
      for (const byte of bytes) lines.push(...framer.push(Buffer.from([byte])).map(String));
      expect(lines).toEqual([one, two]);
      expect(framer.pendingBytes).toBe(0);
    });

    it('take no longer when thousands of them are in a chunk, or when a line only begins like one', () => {
      const begun = performance.now();
      const many = new LineFramer(1000).push(Buffer.from('5 <1>ab'.repeat(150_000)));
      const long = new LineFramer(64_000_000);
      long.push(Buffer.from(`5 <1>abX${'x'.repeat(16_000_000)}`));
      for (let count = 0; count < 3_000; count += 1) long.push(Buffer.from('x'));
      const [line] = long.push(Buffer.from('\n'));
      expect(performance.now() - begun).toBeLessThan(3_000);
      expect([many.length, line?.length]).toEqual([150_000, 16_003_008]);
    });

    it('over the limit end the framing', () => {
      const framer = new LineFramer(50);
      framer.push(Buffer.from(counted(one)));
      expect(framer.overflowed).toBe(true);
    });
  });

  it('takes lines up to the limit, in one chunk or in many', () => {
    for (const end of ['\n', '\r\n', '']) {
      const bytes = Buffer.from('x'.repeat(10) + end);
      expect(frame(bytes, [], 10)).toEqual(['x'.repeat(10)]);
      expect(frame(bytes, [1, 5, 10, 11], 10)).toEqual(['x'.repeat(10)]);
    }
  });

  it.each([
    ['a complete line', ['ok\n', 'x'.repeat(11) + '\nlater\n']],
    ['a complete line in two chunks', ['ok\n', 'x'.repeat(8), 'xxx\nlater\n']],
    ['a line that has not ended', ['ok\n', 'x'.repeat(12)]],
    ['a line that has not ended, byte by byte', ['ok\n', ...'x'.repeat(12)]],
  ])('stops at %s over the limit', (_name, chunks) => {
    const framer = new LineFramer(10);
    const lines = chunks.flatMap((chunk) => framer.push(Buffer.from(chunk)));
    expect(lines.map(String)).toEqual(['ok']);
    expect(framer.overflowed).toBe(true);
    expect(framer.pendingBytes).toBe(0);
    expect(framer.push(Buffer.from('more\n'))).toEqual([]);
    expect(framer.end()).toBeUndefined();
  });

  it('keeps no more than the limit and a CR', () => {
    const framer = new LineFramer(100);
    for (let count = 0; count < 1000; count += 1) {
      framer.push(Buffer.from('x'));
      expect(framer.pendingBytes).toBeLessThanOrEqual(101);
    }
  });

  it('tells what memory an unfinished line takes, no more than its limit, and nothing afterwards', () => {
    let held = 0;
    let most = 0;
    const framer = new LineFramer(100_000, (bytes) => (most = Math.max(most, (held += bytes))));
    const piece = Buffer.alloc(30_000, 'x');
    for (let round = 0; round < 3; round += 1) {
      for (let n = 0; n < 3; n += 1) framer.push(piece);
      expect(held).toBeGreaterThanOrEqual(90_000);
      expect(framer.push(Buffer.from('x\n')).map(({ length }) => length)).toEqual([90_001]);
      expect(held).toBe(0);
    }
    expect(most).toBeLessThanOrEqual(100_001);
    framer.push(piece);
    expect(framer.discard()).toBe(30_000);
    expect([held, framer.pendingBytes, framer.push(Buffer.from('y\n')).length]).toEqual([0, 0, 0]);
  });

  it('gives long lines back whole, one after the other', () => {
    const framer = new LineFramer(4_000_000);
    for (const letter of ['a', 'b']) {
      const text = letter.repeat(3_000_000);
      for (let at = 0; at < 2_900_000; at += 100_000) framer.push(Buffer.from(text.slice(at, at + 100_000)));
      const [line] = framer.push(Buffer.from(`${text.slice(2_900_000)}\r\nrest`));
      expect(line?.toString() === text).toBe(true);
      expect(framer.push(Buffer.from('\n')).map(String)).toEqual(['rest']);
    }
  });

  it('takes a long line byte by byte in linear time and memory', () => {
    const framer = new LineFramer(1_000_000);
    const byte = Buffer.from('x');
    const before = process.memoryUsage();
    for (let count = 0; count < 1_000_000; count += 1) framer.push(byte);
    const after = process.memoryUsage();
    expect(framer.push(Buffer.from('\n')).map((line) => line.length)).toEqual([1_000_000]);
    expect(after.arrayBuffers + after.heapUsed - before.arrayBuffers - before.heapUsed).toBeLessThan(
      50_000_000,
    );
  });

  it('overflows at the end when what looked like a CR was content', () => {
    const framer = new LineFramer(3);
    expect(framer.push(Buffer.from('abcd'))).toEqual([]);
    expect(framer.end()).toBeUndefined();
    expect(framer.overflowed).toBe(true);
  });

  it('follows a limit that changes', () => {
    const framer = new LineFramer(3);
    framer.maxBytes = 5;
    expect(framer.push(Buffer.from('abcde\n')).map(String)).toEqual(['abcde']);
    framer.maxBytes = 2;
    expect(framer.push(Buffer.from('abc\n'))).toEqual([]);
    expect(framer.overflowed).toBe(true);
  });

  it('has no last line after a clean end', () => {
    const framer = new LineFramer(10);
    framer.push(Buffer.from('a\n'));
    expect(framer.end()).toBeUndefined();
  });
});
