import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isoTime, quoteText } from './write-json.js';

describe('isoTime', () => {
  it('writes a time as Date does, whatever was written before', () => {
    const near = fc.integer({ min: -3_000, max: 3_000 });
    const far = fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 });
    fc.assert(
      fc.property(fc.array(fc.oneof(near, far)), (times) => {
        for (const ms of times) expect(isoTime(ms)).toBe(new Date(ms).toISOString());
      }),
    );
  });

  it('throws for what is no time, and goes on after it', () => {
    expect(() => isoTime(NaN)).toThrow(RangeError);
    expect(() => isoTime(8.65e15)).toThrow(RangeError);
    expect(isoTime(1)).toBe('1970-01-01T00:00:00.001Z');
  });
});

describe('quoteText', () => {
  it('writes a text as JSON.stringify does, lone surrogates and control characters too', () => {
    const unit = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(unit, { maxLength: 8 }).map((each) => each.join('')),
    );
    fc.assert(
      fc.property(fc.oneof(text, fc.constantFrom('', '"', '\\', '\u2028', '\ud800', '\0')), (each) => {
        expect(quoteText(each)).toBe(JSON.stringify(each));
      }),
      { numRuns: 1_000 },
    );
  });
});
