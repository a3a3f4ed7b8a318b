import { isUtf8 } from 'node:buffer';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Keyed } from './arrange.js';
import { FlatJson } from './flat-json.js';
import { MAX_ORDERS } from './key-tree.js';
import { LineFramer } from '../helpers/index.js';
import { Line } from './line.js';

/** What JSON.parse gives for a line of an agent, or `undefined` where it is no JSON or no UTF-8. */
function parsed(bytes: Buffer): unknown {
  try {
    return isUtf8(bytes) ? JSON.parse(bytes.toString('utf8')) : undefined;
  } catch {
    return undefined;
  }
}

/** A reader that has learned from these. */
function readerOf(...samples: readonly unknown[]): FlatJson {
  const reader = new FlatJson();
  // One in 16 is learned from.
  for (const sample of samples) for (let n = 0; n < 16; n += 1) reader.learn(sample);
  return reader;
}

function readOne(reader: FlatJson, bytes: Buffer | string): Keyed | undefined {
  return reader.read([Line.of(Buffer.from(bytes))], 0, 1)[0];
}

/** The same keys in the same order, with the same values. */
function expectSame(object: Keyed, value: unknown): void {
  expect(object).toStrictEqual(value);
  expect(JSON.stringify(object)).toBe(JSON.stringify(value));
}

const EVENT = { ActivityType: 'FileSystem', Path: 'D:\\a', Size: 12, Success: true, Rest: null };

describe('FlatJson', () => {
  it('leaves lines to JSON.parse until it has learned their order of keys', () => {
    const reader = new FlatJson();
    expect(readOne(reader, JSON.stringify(EVENT))).toBeUndefined();
    reader.learn(EVENT);
    expectSame(readOne(reader, JSON.stringify(EVENT)) ?? {}, EVENT);
    expect(readOne(reader, JSON.stringify({ Path: 'a', ActivityType: 'b' }))).toBeUndefined();
  });

  it.each([
    ['""', true],
    ['"a"', true],
    ['"\\\\\\"\\/"', true],
    ['"\\u0041\\n\\t\\ud83d\\ude00"', true],
    ['"\\ud83d"', true],
    ['"ä漢😀"', true],
    ['"\\\\ä"', true],
    [`"${'x'.repeat(20_000)}"`, true],
    [`"${'ä'.repeat(2_000)}"`, true],
    ['0', true],
    ['999999999999999', true],
    ['true', true],
    ['false', true],
    ['null', true],
    ['[]', true],
    ['["a",1,null,"]"]', true],
    ['[ 1 , "\\"]" ]', true],
    // From here on only JSON.parse knows.
    [`"${'ä'.repeat(3_000)}"`, false],
    ['"\ufffd"', false],
    ['1000000000000000', false],
    ['-1', false],
    ['1.5', false],
    ['1e3', false],
    ['{}', false],
    ['[[1]]', false],
    [`[${'1,'.repeat(300)}1]`, false],
    // No JSON.
    ['01', false],
    ['', false],
    ['tru', false],
    ['truee', false],
    ['nul', false],
    ['fals', false],
    ['falsy', false],
    ['"a', false],
    ['"\\', false],
    ['"\\x"', false],
    ['"\\u12"', false],
    ['"a\u0001"', false],
    ['"\\\\\u0001"', false],
    ['[1', false],
    ['[1,]', false],
    ['"a""b"', false],
  ])('reads a value %s as JSON.parse does: %s', (value, reads) => {
    const reader = readerOf({ k: 1 }, { k: 1, z: 2 });
    for (const text of [`{"k":${value}}`, `{"k":${value},"z":"after"}`, `{"k":"before","z":${value}}`]) {
      const object = readOne(reader, text);
      if (!reads) expect(object).toBeUndefined();
      else expectSame(object ?? {}, JSON.parse(text));
    }
  });

  it.each([
    '{"k":1} ',
    ' {"k":1}',
    '{"k": 1}',
    '{"k":1}}',
    '{"k":1}x',
    '{"k":1,}',
    '{"k":1',
    '{"k"',
    '{',
    '',
    '"k"',
    '[1]',
  ])('leaves the line %j to JSON.parse', (text) => {
    expect(readOne(readerOf({ k: 1 }), text)).toBeUndefined();
  });

  it('does not read what is no UTF-8', () => {
    const reader = readerOf({ k: 'a' });
    for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0x5c, 0x5c, 0xc3], [0x5c, 0x6e, 0xc3]]) {
      const line = Buffer.concat([Buffer.from('{"k":"'), Buffer.from(bytes), Buffer.from('"}')]);
      expect(readOne(reader, line)).toBeUndefined();
    }
  });

  it.each(['__proto__', '1', 'a b', 'ä', 'a"', 'a\\', 'a`${b}', "a'", 'x'.repeat(65), ''])(
    'does not learn the key %j',
    (key) => {
      const text = `{"a":1,${JSON.stringify(key)}:2}`;
      expect(readOne(readerOf(JSON.parse(text)), text)).toBeUndefined();
    },
  );

  it('reads keys that objects have of themselves, and keys that are words of JavaScript', () => {
    const text = '{"constructor":1,"toString":"a","return":2,"values":3,"hasOwnProperty":4}';
    expectSame(readOne(readerOf(JSON.parse(text)), text) ?? {}, JSON.parse(text));
  });

  it('does not learn from what it could not read: lists, large parts, too many keys, no keys, no objects', () => {
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`k${n}`, n]));
    for (const value of [[1], {}, many, { a: {} }, { a: [{}] }, { a: new Array(17).fill(1) }, 'a', 1, null]) {
      expect(readOne(readerOf(value), JSON.stringify(value))).toBeUndefined();
    }
  });

  it('reads lines of one chunk and of several, more than a piece of text holds, with any line ends', () => {
    const reader = readerOf(EVENT, { ActivityType: 'x', Name: 'y' });
    const texts = Array.from({ length: 400 }, (_, n) =>
      JSON.stringify(n % 3 === 0 ? { ActivityType: `a${n}`, Name: 'ü'.repeat(n) } : { ...EVENT, Size: n }),
    );
    for (const end of ['\n', '\r\n', '\n\n']) {
      const bytes = Buffer.from(texts.map((text) => text + end).join(''));
      for (const size of [7, 500, 5_000, bytes.length]) {
        const framer = new LineFramer(100_000);
        const objects: (Keyed | undefined)[] = [];
        for (let at = 0; at < bytes.length; at += size) {
          const lines = framer.cut(Buffer.from(bytes.subarray(at, at + size)));
          const middle = lines.length >> 1;
          objects.push(...reader.read(lines, 0, middle), ...reader.read(lines, middle, lines.length));
        }
        expect(objects.map((object) => JSON.stringify(object))).toEqual(texts);
      }
    }
  });

  it('gives what JSON.parse gives, or nothing, whatever a line holds', () => {
    const key = fc.oneof(
      { weight: 30, arbitrary: fc.constantFrom('Host', 'Path', 'Size', 'Tags', 'a', 'b') },
      { weight: 1, arbitrary: fc.constantFrom('é', '1', '__proto__') },
    );
    const scalar = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('a', '\\', '"', '/', 'ä', '\n', '😀', '\ufffd', '\ud800') }),
      fc.constantFrom(true, false, null, 0, 7, -7, 1.5, 2 ** 53, []),
      fc.nat(),
      fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.double({ noNaN: true })), { maxLength: 3 }),
    );
    const object = fc
      .array(fc.tuple(key, scalar), { maxLength: 6 })
      .map((entries) => Object.fromEntries(entries));
    const change = fc.record({
      at: fc.nat(),
      byte: fc.nat(255),
      kind: fc.constantFrom('set', 'insert', 'remove'),
    });
    let read = 0;
    fc.assert(
      fc.property(object, fc.array(change, { maxLength: 2 }), (value, changes) => {
        const good = Buffer.from(JSON.stringify(value));
        const reader = readerOf(parsed(good));
        let bytes = good;
        for (const { at, byte, kind } of changes) {
          const place = at % bytes.length;
          const rest = bytes.subarray(kind === 'insert' ? place : place + 1);
          const middle = kind === 'remove' ? [] : [byte];
          bytes = Buffer.concat([bytes.subarray(0, place), Buffer.from(middle), rest]);
        }
        const found = readOne(reader, bytes);
        if (found === undefined) return;
        read += 1;
        expectSame(found, parsed(bytes));
      }),
      { numRuns: 3_000 },
    );
    expect(read).toBeGreaterThan(300);
  });

  it('keeps so many orders at most, and begins anew when they are not what is sent', () => {
    const reader = readerOf(...Array.from({ length: MAX_ORDERS + 5 }, (_, n) => ({ [`junk${n}`]: 1 })));
    expect(readOne(reader, '{"junk3":5}')).toEqual({ junk3: 5 });
    expect(readOne(reader, `{"junk${MAX_ORDERS}":5}`)).toBeUndefined();
    const used = Array.from({ length: 100 }, () => Line.of(Buffer.from('{"junk3":5}')));
    for (let n = 0; n < 20_000; n += 1) {
      reader.learn(EVENT);
      if (n % 50 === 0) reader.read(used, 0, used.length);
    }
    expect(readOne(reader, JSON.stringify(EVENT))).toBeUndefined();
    for (let n = 0; n < 40_000; n += 1) reader.learn(EVENT);
    expect(readOne(reader, JSON.stringify(EVENT))).toEqual(EVENT);
    expect(readOne(reader, '{"junk3":5}')).toBeUndefined();
  });
});
