import { describe, expect, it } from '@jest/globals';
import { Ajv, type ErrorObject } from 'ajv';
import fc from 'fast-check';
import type { JsonSchema } from '../api/index.js';
import { compileSchema } from './compile-schema.js';
import { KnownKeys } from './extra.js';
import { propertiesOf, requiredScalar, scalar, scalarList } from './schema.js';

const SCALARS = Array.from({ length: 14 }, (_, n) => `s${n}`);
const schema: JsonSchema = {
  type: 'object',
  required: ['s0', 'host', 'time'],
  properties: {
    time: { type: 'string' },
    ...propertiesOf(SCALARS.slice(0, 7), scalar),
    ...propertiesOf(['host', 'path'], requiredScalar),
    ...propertiesOf(SCALARS.slice(7), scalar),
    list: scalarList,
    nested: { type: ['object', 'null'], properties: { a: scalar } },
  },
};

/** What counts of an error: where, which rule, and what stands there. */
function told(errors: readonly ErrorObject[] | null | undefined): unknown {
  return errors?.map(({ instancePath, keyword, params, message, data }) => [
    instancePath,
    keyword,
    params,
    message,
    data,
  ]);
}

/** Expects the same answer as from Ajv alone, for any message. */
function expectAsAjv(of: JsonSchema): { fits: number; refused: number } {
  const plain = new Ajv({ strict: true, allErrors: false, allowUnionTypes: true, verbose: true }).compile(of);
  const check = compileSchema(of);
  const values = fc.constantFrom<unknown>('t', '', 1, -0, true, null, {}, [], [{}], ['x', 1], 1e308 * 10, {
    a: {},
  });
  const key = fc.constantFrom('time', 'host', 'path', 'list', 'nested', 'unknown', 'toString', ...SCALARS);
  const good = { time: 't', host: 'h', s0: 1 };
  const message = fc.dictionary(key, values, { maxKeys: 4, noNullPrototype: true });
  const counts = { fits: 0, refused: 0 };
  fc.assert(
    fc.property(
      fc.oneof(
        message,
        message.map((changed) => ({ ...good, ...changed })),
        values,
      ),
      (sent) => {
        const errors = plain(sent) ? undefined : plain.errors;
        counts[errors === undefined ? 'fits' : 'refused'] += 1;
        expect(told(check(sent))).toEqual(told(errors));
      },
    ),
    { numRuns: 3000 },
  );
  return counts;
}

describe('compileSchema', () => {
  it('accepts and refuses what Ajv does, with the same error', () => {
    const { fits, refused } = expectAsAjv(schema);
    expect(Math.min(fits, refused)).toBeGreaterThan(300);
  });

  it.each<[string, JsonSchema]>([
    ['further keys are forbidden', { ...schema, additionalProperties: false }],
    ['there are few properties', { type: 'object', properties: { s0: scalar } }],
    ['it may be no object', { ...schema, type: ['object', 'string'] }],
    [
      'a property is one of every object',
      {
        ...schema,
        properties: { ...propertiesOf(['toString'], scalar), ...(schema['properties'] as object) },
      },
    ],
  ])('does so when %s', (_when, of) => expect(expectAsAjv(of).refused).toBeGreaterThan(100));

  it('tells an arranged message by the schema as the message itself', () => {
    const keys = new KnownKeys(Object.keys(schema['properties'] as object));
    const plain = compileSchema(schema);
    const arranged = compileSchema(schema, keys);
    const values = fc.constantFrom<unknown>('t', '', 1, true, null, {}, [{}], ['x', 1], { a: {} });
    const key = fc.constantFrom('time', 'host', 'path', 'list', 'nested', 'unknown', ...SCALARS.slice(0, 3));
    const message = fc.dictionary(key, values, { noNullPrototype: true });
    const counts = { fits: 0, refused: 0 };
    fc.assert(
      fc.property(fc.oneof(message, values), fc.boolean(), (sent, good) => {
        const whole =
          good && !Array.isArray(sent) ? { ...(sent as object), time: 't', host: 'h', s0: 1 } : sent;
        const errors = plain(whole);
        counts[errors === undefined ? 'fits' : 'refused'] += 1;
        const where = (found: typeof errors): unknown =>
          found?.map(({ instancePath, keyword, params, message: text }) => [
            instancePath,
            keyword,
            params,
            text,
          ]);
        expect(where(arranged(keys.arrange(whole)))).toEqual(where(errors));
      }),
      { numRuns: 2000 },
    );
    expect(Math.min(counts.fits, counts.refused)).toBeGreaterThan(50);
  });

  it('refuses keys that would hide from the schema what it speaks of', () => {
    const all = new KnownKeys(Object.keys(schema['properties'] as object));
    expect(() => compileSchema({ ...schema, additionalProperties: false }, all)).toThrow(
      /additionalProperties/,
    );
    expect(() => compileSchema(schema, new KnownKeys(SCALARS))).toThrow('"time" is missing');
  });
});
