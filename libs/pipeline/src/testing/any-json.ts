import fc from 'fast-check';

/** A JSON text with what is known of it. */
export interface KnownJson {
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

function leaf(text: string): KnownJson {
  return { text, values: 0, members: 0, repeats: false, depth: 0 };
}

function nest(parts: readonly KnownJson[], text: string, ownMembers: number, repeats: boolean): KnownJson {
  const sum = (of: (part: KnownJson) => number): number => parts.reduce((all, part) => all + of(part), 0);
  return {
    text,
    values: parts.length + sum(({ values }) => values),
    members: ownMembers + sum(({ members }) => members),
    repeats: repeats || parts.some((part) => part.repeats),
    depth: 1 + parts.reduce((most, { depth }) => Math.max(most, depth), 0),
  };
}

/** Any JSON object: white space, escapes, and keys that are sent twice. */
export const { object: anyJsonObject } = fc.letrec<{ value: KnownJson; list: KnownJson; object: KnownJson }>(
  (tie) => ({
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
  }),
);
