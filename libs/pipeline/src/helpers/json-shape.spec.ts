import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { endOfString, findRepeatedKey, JsonShape, MAX_DEPTH } from './json-shape.js';
import { anyJsonObject } from '../testing/any-json.js';

function measure(text: string, maxValues = Infinity): { fault: string | undefined; members: number } {
  const shape = new JsonShape();
  const bytes = Buffer.from(`xx${text}xx`);
  const fault = shape.measure(bytes, 2, bytes.length - 2, maxValues);
  return { fault, members: shape.members };
}

describe('JsonShape', () => {
  it('counts members and elements as they are, whatever is in strings and around values', () => {
    fc.assert(
      fc.property(anyJsonObject, ({ text, values, members }) => {
        expect(measure(text, values)).toEqual({ fault: undefined, members });
        if (values > 0) expect(measure(text, values - 1).fault).toBe('too_many_values');
      }),
    );
  });

  it('finds what is too deep', () => {
    const deep = (levels: number): string => '{"a":['.repeat(levels / 2) + ']}'.repeat(levels / 2);
    expect(measure(deep(MAX_DEPTH)).fault).toBeUndefined();
    expect(measure(deep(MAX_DEPTH + 2)).fault).toBe('too_deep');
    expect(measure('['.repeat(1_000_000)).fault).toBe('too_deep');
    expect(measure('[]'.repeat(1_000) + ']'.repeat(1_000)).fault).toBeUndefined();
  });

  it('ends and does not throw, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...'{}[]",:\\a \0é'), { maxLength: 300 }), (parts) => {
        expect(measure(parts.join(''))).toHaveProperty('fault');
      }),
    );
  });

  it('takes time in proportion to the bytes, also for strings of escaped quotes', () => {
    const size = 16 * 1024 * 1024;
    for (const content of ['\\"', 'x', '\\\\', `${'x'.repeat(70)}\\"`]) {
      const bytes = Buffer.from(`"${content.repeat(size / content.length)}"`);
      const began = performance.now();
      expect(endOfString(bytes, 1, bytes.length)).toBe(bytes.length);
      expect(performance.now() - began).toBeLessThan(1_500);
    }
  });
});

describe('findRepeatedKey', () => {
  it.each([
    ['{"a":1,"a":1}', '/a'],
    ['{"ActivityType":"x","b":[1,{"c":{}},{"c/":2,"d":"x,{","c\\u002f":3}]}', '/b/2/c~1'],
    ['{"a":{"b":1},"b":{"a":1}}', undefined],
  ])('tells the place of a key that is sent twice: %s', (text, field) => {
    expect(findRepeatedKey(Buffer.from(text))).toBe(field);
  });
});
