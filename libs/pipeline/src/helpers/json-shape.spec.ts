import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { countKeys, endOfString, findRepeatedKey, JsonShape, MAX_DEPTH } from './json-shape.js';
import { MessageReader, readMessage } from './read-message.js';
import { Line } from './line.js';

/** A JSON text with what is known of it. */
interface Known {
  readonly text: string;
  /** Members and list elements. */
  readonly values: number;
  readonly members: number;
  readonly repeats: boolean;
  readonly depth: number;
}

const space = fc.constantFrom('', '', '', ' ', '\t', '\r ', '   ');
const string = fc
  .oneof(
    fc.string(),
    fc.constantFrom('', '"', '\\', '\\"', '{[,:]}', '\\\\', 'é😀'),
    fc.string({ minLength: 60, maxLength: 300 }),
    fc
      .array(fc.constantFrom('\\', '"', 'x', '{'), { minLength: 50, maxLength: 200 })
      .map((all) => all.join('')),
  )
  .map((text) => JSON.stringify(text));
const key = fc.constantFrom('"a"', '"b"', '"\\u0061"', '"c\\\\"', '"__proto__"', '"0"', '""');
const scalar = fc.oneof(string, fc.integer().map(String), fc.constantFrom('true', 'null', '-1.5e3'));

function leaf(text: string): Known {
  return { text, values: 0, members: 0, repeats: false, depth: 0 };
}

function nest(parts: readonly Known[], text: string, ownMembers: number, repeats: boolean): Known {
  const sum = (of: (part: Known) => number): number => parts.reduce((all, part) => all + of(part), 0);
  return {
    text,
    values: parts.length + sum(({ values }) => values),
    members: ownMembers + sum(({ members }) => members),
    repeats: repeats || parts.some((part) => part.repeats),
    depth: 1 + parts.reduce((most, { depth }) => Math.max(most, depth), 0),
  };
}

const { object: anyObject } = fc.letrec<{ value: Known; list: Known; object: Known }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar.map(leaf),
    tie('list'),
    tie('object'),
  ),
  list: fc
    .tuple(fc.array(tie('value'), { maxLength: 5 }), space)
    .map(([parts, gap]) =>
      nest(parts, `[${gap}${parts.map(({ text }) => text + gap).join(`,${gap}`)}]`, 0, false),
    ),
  object: fc.tuple(fc.array(fc.tuple(key, tie('value')), { maxLength: 5 }), space).map(([entries, gap]) => {
    const keys = entries.map(([name]) => JSON.parse(name) as string);
    const members = entries.map(([name, { text }]) => `${name}${gap}:${gap}${text}${gap}`);
    return nest(
      entries.map(([, part]) => part),
      `{${gap}${members.join(`,${gap}`)}}`,
      entries.length,
      new Set(keys).size < keys.length,
    );
  }),
}));

function measure(text: string, maxValues = Infinity): { fault: string | undefined; members: number } {
  const shape = new JsonShape();
  const bytes = Buffer.from(`xx${text}xx`);
  const fault = shape.measure(bytes, 2, bytes.length - 2, maxValues);
  return { fault, members: shape.members };
}

describe('JsonShape', () => {
  it('counts members and elements as they are, whatever is in strings and around values', () => {
    fc.assert(
      fc.property(anyObject, ({ text, values, members }) => {
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

describe('keys that are sent twice', () => {
  const event = ({ text }: Known): string => `{"ActivityType":"x","Data":${text}}`;

  it('are found at any depth and however they are escaped, and nothing else is', () => {
    fc.assert(
      fc.property(anyObject, (known) => {
        const message = readMessage(Buffer.from(event(known)));
        if (known.repeats) expect(message).toMatchObject({ kind: 'rejected', code: 'repeated_key' });
        else expect(message).toMatchObject({ kind: 'event' });
        expect(findRepeatedKey(Buffer.from(known.text)) !== undefined).toBe(known.repeats);
        if (!known.repeats) expect(countKeys(JSON.parse(known.text))).toBe(known.members);
      }),
    );
  });

  it.each([
    ['{"a":1,"a":1}', '/a'],
    ['{"ActivityType":"x","b":[1,{"c":{}},{"c/":2,"d":"x,{","c\\u002f":3}]}', '/b/2/c~1'],
    ['{"a":{"b":1},"b":{"a":1}}', undefined],
  ])('are told by their place: %s', (text, field) => {
    expect(findRepeatedKey(Buffer.from(text))).toBe(field);
  });

  it('are found in a list within an order of keys that is known', () => {
    const reader = new MessageReader();
    const line = (list: string): Line =>
      Line.of(Buffer.from(`{"ActivityType":"x","Tags":${list}}\n`).subarray(0, -1));
    for (let round = 0; round < 40; round += 1) reader.read([line('["a"]')]);
    expect(reader.read([line('[{"a":1,"a":2}]')])[0]).toMatchObject({
      code: 'repeated_key',
      field: '/Tags/0/a',
    });
  });

  it('are not met by the reader of known orders: it gives what a single line gives', () => {
    const flat = fc
      .array(
        fc.tuple(
          fc.constantFrom('ActivityType', 'Path', 'Host', 'Size', 'Tags'),
          fc.constantFrom('"x"', '1', '["a"]', '[{"a":1,"a":2}]', '[{"a":1}]', '[[1]]', '"\\u0061"'),
        ),
        { minLength: 1, maxLength: 6 },
      )
      .map((members) => `{${members.map(([name, value]) => `"${name}":${value}`).join(',')}}`);
    fc.assert(
      fc.property(fc.array(flat, { minLength: 1, maxLength: 12 }), (texts) => {
        const reader = new MessageReader();
        const lines = texts.map((text) => Line.of(Buffer.from(`${text}\n`).subarray(0, -1)));
        // Often enough for each order to be learned.
        for (let round = 0; round < 40; round += 1) reader.read(lines);
        const alone = lines.map(({ bytes }) => readMessage(bytes));
        expect(reader.read(lines)).toEqual(alone);
      }),
    );
  });
});
