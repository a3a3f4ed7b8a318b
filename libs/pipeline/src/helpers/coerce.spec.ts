import { describe, expect, it } from '@jest/globals';
import { RejectError } from '../api/index.js';
import {
  coerceBool,
  coercePath,
  coerceText,
  coerceTextList,
  coerceUint16,
  coerceUint64,
  coerceUint8,
  MAX_PATH_LENGTH,
  requireText,
} from './coerce.js';

/** A value, or the code and field it is rejected with. */
function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    if (error instanceof RejectError) return `${error.code} ${error.field}`;
    throw error;
  }
}

describe('coerceText', () => {
  it.each([
    ['a', 'a'],
    ['', ''],
    [undefined, ''],
    [null, ''],
    [0, '0'],
    [3.1, '3.1'],
    [false, 'false'],
    [{}, 'wrong_type /F'],
    [[], 'wrong_type /F'],
    [2 ** 60, 'invalid_value /F'],
  ])('reads %j as %j', (value, text) => {
    expect(outcome(() => coerceText(value, '/F'))).toBe(text);
  });

  it('needs some text where it is required', () => {
    expect(outcome(() => requireText('a', '/F'))).toBe('a');
    expect(outcome(() => requireText(0, '/F'))).toBe('0');
    for (const value of ['', null, undefined])
      expect(outcome(() => requireText(value, '/F'))).toBe('missing_key /F');
  });

  it('bounds paths', () => {
    const longest = 'x'.repeat(MAX_PATH_LENGTH);
    expect(coercePath(longest, '/F')).toBe(longest);
    expect(outcome(() => coercePath(`${longest}x`, '/F'))).toBe('too_long /F');
  });
});

describe('coerceBool', () => {
  it.each([true, 1, '1', 'true', 'True', ' TRUE '])('reads %j as true', (value) => {
    expect(coerceBool(value, false, '/F')).toBe(true);
  });

  it.each([false, 0, '0', 'false', 'False', ' FALSE '])('reads %j as false', (value) => {
    expect(coerceBool(value, true, '/F')).toBe(false);
  });

  it.each([undefined, null, '', '  '])('takes the fallback for %j', (value) => {
    expect(coerceBool(value, true, '/F')).toBe(true);
    expect(coerceBool(value, false, '/F')).toBe(false);
  });

  it.each(['yes', 'on', 'tru', 2, -1, 0.5, {}, []])('rejects %j', (value) => {
    expect(outcome(() => coerceBool(value, true, '/F'))).toBe('wrong_type /F');
  });
});

describe('coerceUint', () => {
  it.each([
    [0, 0],
    [261, 261],
    ['261', 261],
    [' 0261 ', 261],
    ['0x1A4', 420],
    ['9007199254740991', 9007199254740991],
    ['9007199254740993', 9007199254740993n],
    ['18446744073709551615', 18446744073709551615n],
    [undefined, null],
    [null, null],
    ['', null],
    [' ', null],
    ['18446744073709551616', 'invalid_value /F'],
    ['99999999999999999999999', 'invalid_value /F'],
    ['-1', 'invalid_value /F'],
    ['1.5', 'invalid_value /F'],
    [-1, 'invalid_value /F'],
    [1.5, 'invalid_value /F'],
    [2 ** 60, 'invalid_value /F'],
    ['abc', 'wrong_type /F'],
    ['12 MB', 'wrong_type /F'],
    [true, 'wrong_type /F'],
    [{}, 'wrong_type /F'],
  ])('reads %j as a uint64 %s', (value, number) => {
    expect(outcome(() => coerceUint64(value, '/F'))).toBe(number);
  });

  it('bounds the smaller kinds', () => {
    expect(coerceUint8('255', '/F')).toBe(255);
    expect(coerceUint16(65_535, '/F')).toBe(65_535);
    expect(coerceUint8(null, '/F')).toBeNull();
    expect(outcome(() => coerceUint8(256, '/F'))).toBe('invalid_value /F');
    expect(outcome(() => coerceUint16('65536', '/F'))).toBe('invalid_value /F');
    expect(outcome(() => coerceUint16('9007199254740993', '/F'))).toBe('invalid_value /F');
  });
});

describe('coerceTextList', () => {
  it.each([
    [
      ['a', ' b', '', 5, true, null],
      ['a', ' b', '', '5', 'true'],
    ],
    ['a, b,,c ', ['a', 'b', 'c']],
    ['one', ['one']],
    ['', []],
    [7, ['7']],
    [null, []],
    [undefined, []],
    [['a', {}], 'wrong_type /F/1'],
    [{}, 'wrong_type /F'],
  ])('reads %j as %j', (value, list) => {
    expect(outcome(() => coerceTextList(value, '/F'))).toEqual(list);
  });
});

describe('messages', () => {
  it('say the key and the rule, never the content', () => {
    const texts: string[] = [];
    for (const run of [
      () => coerceBool('secret', true, '/Success'),
      () => coerceUint64('secret', '/FileSize'),
      () => coerceUint16('70000', '/Port'),
      () => coerceText({ secret: 1 }, '/Host'),
    ]) {
      try {
        run();
      } catch (error) {
        texts.push((error as Error).message);
      }
    }
    expect(texts).toEqual([
      'The value of Success must be true or false, not other text.',
      'The value of FileSize must be a whole number, not other text.',
      'The value of Port must be a whole number from 0 to 65535.',
      'The value of Host must be text, not object.',
    ]);
  });
});
