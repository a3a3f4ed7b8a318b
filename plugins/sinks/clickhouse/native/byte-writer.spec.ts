import { describe, expect, it } from '@jest/globals';
import { ByteWriter } from './byte-writer.js';
import { writeIp } from './ip-bytes.js';

/** Reads what `string` wrote. */
function readString(bytes: Buffer): { text: string; rest: number } {
  let size = 0;
  let at = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] ?? 0;
    size += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  return { text: bytes.subarray(at, at + size).toString('utf8'), rest: bytes.length - at - size };
}

describe('ByteWriter', () => {
  const letters = ['a', 'ä', '漢', '👍', '\u0000'];
  const lengths = [
    0, 1, 22, 23, 24, 41, 42, 43, 63, 64, 127, 128, 129, 5_461, 5_462, 16_383, 16_384, 16_385, 90_000,
  ];
  it.each(letters)('writes texts of %j of any length', (letter) => {
    const out = new ByteWriter();
    for (const length of lengths) {
      const text = letter.repeat(length);
      out.string(text);
      expect(readString(out.take())).toEqual({ text, rest: 0 });
    }
  });

  it('writes a lone surrogate as U+FFFD, in short and in long texts', () => {
    const out = new ByteWriter();
    for (const text of ['\uD800', 'a\uDC00b', `${'x'.repeat(50)}\uD83D`, '\uD800'.repeat(20_000)]) {
      out.string(text);
      expect(readString(out.take())).toEqual({ text: Buffer.from(text).toString(), rest: 0 });
    }
  });

  it.each([0, 1, 127, 128, 300, 2 ** 31, 2 ** 32 + 5, Number.MAX_SAFE_INTEGER, -1, -(2 ** 40)])(
    'writes %d',
    (value) => {
      const out = new ByteWriter();
      out.int64(value);
      expect(out.take().readBigInt64LE()).toBe(BigInt(value));
    },
  );

  it('keeps what it has when it grows, and gives a copy', () => {
    const out = new ByteWriter();
    const parts = Array.from({ length: 300 }, (_, index) => Buffer.alloc(1_000, index));
    for (const part of parts) out.raw(part);
    const taken = out.take();
    out.raw(Buffer.alloc(1_000, 0xff));
    expect(taken.equals(Buffer.concat(parts))).toBe(true);
    expect(out.take()).toHaveLength(1_000);
  });

  it('lets a buffer go that one large block has blown up', () => {
    const out = new ByteWriter();
    out.raw(Buffer.alloc(20 * 1024 * 1024));
    out.take();
    expect(out.bytes.length).toBeLessThan(1024 * 1024);
  });
});

describe('writeIp', () => {
  it.each([
    ['10.0.0.5', '00000000000000000000ffff0a000005'],
    ['255.255.255.255', '00000000000000000000ffffffffffff'],
    ['0.0.0.0', '00000000000000000000ffff00000000'],
    ['2001:db8::1', '20010db8000000000000000000000001'],
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['fe80::', 'fe800000000000000000000000000000'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['64:ff9b::192.0.2.1', '0064ff9b0000000000000000c0000201'],
    ['no address', '00000000000000000000000000000000'],
    ['1.2.3', '00000000000000000000000000000000'],
    ['', '00000000000000000000000000000000'],
  ])('%s', (text, hex) => {
    const target = Buffer.alloc(18, 0xaa);
    writeIp(text, target.fill(0, 1, 17), 1);
    writeIp(text, target.fill(0, 1, 17), 1);
    expect(target.toString('hex')).toBe(`aa${hex}aa`);
  });

  it('gives the same after its cache was full', () => {
    const target = Buffer.alloc(16);
    for (let index = 0; index < 10_000; index++) writeIp(`2001:db8::${index.toString(16)}`, target, 0);
    writeIp('2001:db8::1', target, 0);
    expect(target.toString('hex')).toBe('20010db8000000000000000000000001');
  });
});
