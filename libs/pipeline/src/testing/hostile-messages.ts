import fc from 'fast-check';

/** Values that have broken parsers before. */
const AWKWARD: readonly unknown[] = [
  null,
  true,
  '',
  ' ',
  'NaN',
  '\u0000',
  '\uD800',
  '1e400',
  '-1',
  '18446744073709551616',
  '2026-02-30T25:61:61Z',
  '[::1]:99999',
  'x'.repeat(40_000),
  0,
  -0,
  -1,
  1.5,
  1e308,
  2 ** 53 + 2,
  [],
  {},
  [[]],
  [null],
  [{}],
  { Id: null },
  JSON.parse('{"__proto__":{"x":1},"constructor":{"prototype":1},"toString":1}'),
];

/** Messages as JSON can bring them, made from good ones by spoiling some of their keys; and such that are not like them at all. */
export function hostileMessages(seeds: readonly unknown[]): fc.Arbitrary<unknown> {
  const awkward = fc.constantFrom(...AWKWARD);
  const anything = fc.oneof(awkward, fc.jsonValue() as fc.Arbitrary<unknown>);
  if (seeds.length === 0) return anything;
  const spoiled = fc
    .tuple(fc.constantFrom(...seeds), fc.array(fc.tuple(fc.nat(), anything), { minLength: 1, maxLength: 3 }))
    .map(([seed, changes]) => changes.reduce<unknown>((value, [at, put]) => spoil(value, at, put), seed));
  return fc.oneof({ weight: 4, arbitrary: spoiled }, { weight: 1, arbitrary: anything });
}

/** Puts a value into a message at some place, or cuts a text there. */
function spoil(message: unknown, at: number, put: unknown): unknown {
  if (typeof message === 'string') {
    const middle = at % (message.length + 1);
    return (
      message.slice(0, middle) +
      (typeof put === 'string' ? put.slice(0, 200) : '') +
      message.slice(middle + (at % 3))
    );
  }
  if (typeof message !== 'object' || message === null) return put;
  const keys = Object.keys(message);
  const key = keys[at % Math.max(keys.length, 1)];
  const copy = Array.isArray(message) ? [...(message as unknown[])] : { ...message };
  if (key === undefined) return put;
  const target = copy as Record<string, unknown>;
  const inner = target[key];
  const deeper = typeof inner === 'object' && inner !== null && at % 3 !== 0;
  target[key] = deeper ? spoil(inner, Math.floor(at / 3), put) : put;
  return copy;
}
