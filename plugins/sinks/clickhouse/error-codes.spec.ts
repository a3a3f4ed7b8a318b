import { describe, expect, it } from '@jest/globals';
import { classOf, waitAfter } from './error-codes.js';

describe('classOf', () => {
  it.each([16, 47, 60, 62, 81, 115, 164, 193, 291, 452, 497, 516])('%i is for a person to fix', (code) => {
    expect(classOf(code)).toBe('configuration');
  });

  it.each([6, 27, 38, 41, 53, 69, 70, 72, 130, 131, 190, 321, 349, 376, 467, 469, 675, 676, 691])(
    '%i is a row to blame',
    (code) => {
      expect(classOf(code)).toBe('row');
    },
  );

  it.each([3, 32, 33, 159, 202, 209, 210, 241, 242, 243, 319, 425, 999, 123_456])(
    '%i is worth another try of the same bytes',
    (code) => {
      expect(classOf(code)).toBe('retry');
    },
  );

  it('takes 117 for drift of the schema in Native and for a bad row in JSON', () => {
    expect(classOf(117, 'Unknown field', 'Native')).toBe('configuration');
    expect(classOf(117, 'Unknown field', 'JSONEachRow')).toBe('row');
  });

  it('tells an insert of too many partitions from a table of too many parts', () => {
    expect(classOf(252, 'Too many partitions for single INSERT block (more than 100).')).toBe('partitions');
    expect(classOf(252, 'Too many parts (3000 with average size of 1.00 KiB) in table')).toBe('retry');
  });
});

describe('waitAfter', () => {
  it.each([
    [202, 1_000],
    [241, 5_000],
    [243, 10_000],
    [252, 5_000],
    [209, 0],
  ])('%i: %i ms', (code, ms) => {
    expect(waitAfter(code)).toBe(ms);
  });
});
