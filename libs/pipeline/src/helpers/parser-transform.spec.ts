import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  Batch,
  createEvent,
  defineEventType,
  RejectError,
  type EventRecord,
  type SourceEvent,
} from '../api/index.js';
import { coerceText, coerceUint64 } from './coerce.js';
import { extraText, KnownKeys } from './extra.js';
import { parserTransform, type ParserOptions } from './parser-transform.js';

const things = defineEventType({
  name: 'things',
  fields: { name: { kind: 'text' }, size: { kind: 'uint64' } },
});
const ORIGIN = { connectionId: 'c', sender: 'ab'.repeat(32), senderHost: 'FS-1', sourceIp: '10.0.0.1' };
const KNOWN = new KnownKeys(['Name', 'Size']);

type Thing = Readonly<Record<string, unknown>>;

const options: ParserOptions<Thing> = {
  eventType: things,
  claims: 'Thing',
  schema: {
    type: 'object',
    required: ['Name'],
    properties: {
      Name: { type: 'string', maxLength: 20 },
      Size: { type: ['string', 'number', 'null'] },
      Parts: { type: 'array', items: { type: 'object', properties: { 'a/b~c': { enum: ['x'] } } } },
    },
  },
  decode: (thing) => ({
    name: coerceText(thing['Name'], '/Name'),
    size: coerceUint64(thing['Size'], '/Size'),
    extra: extraText(KNOWN.rest(thing)),
  }),
};

function event(type: string, value: unknown): SourceEvent {
  return createEvent(type, value, Buffer.from(JSON.stringify(value) ?? ''));
}

function apply(events: SourceEvent[], changes: Partial<ParserOptions<Thing>> = {}): Batch {
  const batch = new Batch(ORIGIN, Date.UTC(2026, 10, 20, 12), 0, events);
  parserTransform<Thing>({ ...options, ...changes }).apply(batch);
  return batch;
}

function rejectOf(value: unknown, changes?: Partial<ParserOptions<Thing>>): unknown {
  const batch = apply([event('Thing', value)], changes);
  expect(batch.events).toEqual([]);
  return batch.rejects[0];
}

describe('values of a wrong type', () => {
  it.each([
    [
      'beside it',
      '{"Name":"a","Size":[1],"X":12345678901234567890}',
      { X: '12345678901234567890', Size: [1] },
    ],
    ['in it', '{"Name":"a","Size":[12345678901234567890],"X":1}', { X: 1, Size: ['12345678901234567890'] }],
    [
      'in both',
      '{"Name":"a","X":12345678901234567890,"Size":{"n":1e400}}',
      { X: '12345678901234567890', Size: { n: '1e400' } },
    ],
  ])('are set aside with a number that JSON.parse rounds %s', (_where, text, extra) => {
    const raw = Buffer.from(text);
    const batch = apply([createEvent('Thing', JSON.parse(text), raw)], { setAside: { except: [] } });
    expect(batch.rejects).toEqual([]);
    expect(JSON.parse(batch.events[0]?.record?.['extra'] as string)).toEqual(extra);
  });

  const counts: number[] = [];
  const lenient: Partial<ParserOptions<Thing>> = {
    setAside: { except: ['Strict'], count: (values) => counts.push(values) },
    schema: {
      type: 'object',
      required: ['Name'],
      properties: {
        Name: { type: 'string' },
        Strict: { type: 'boolean' },
        a: { type: 'array', items: { type: ['number', 'null'] } },
      },
    },
  };
  const extraOf = (value: unknown): unknown => {
    const batch = apply([event('Thing', value)], lenient);
    expect(batch.rejects).toEqual([]);
    return JSON.parse(batch.events[0]?.record?.['extra'] as string);
  };

  it('cost their keys only, and are kept in extra where they were sent', () => {
    expect(extraOf({ Name: 'n', Size: {}, Other: 1 })).toEqual({ Size: {}, Other: 1 });
    expect(extraOf({ Name: 'n', Size: 'x', a: [1, 'b', 3, 'd'] })).toEqual({
      Size: 'x',
      a: [1, 'b', 3, 'd'],
    });
  });

  it('are counted once a batch, and not where there are none', () => {
    counts.length = 0;
    apply([event('Thing', { Name: 'n', Size: 5 })], lenient);
    apply(
      [1, 2, 3].map(() => event('Thing', { Name: 'n', Size: [] })),
      lenient,
    );
    expect(counts).toEqual([3]);
  });

  it('make a reject where the key is required or must not be guessed, for the first fault', () => {
    for (const [value, field] of [
      [{ Name: 5, Size: [] }, '/Name'],
      [{ Size: [], Name: {} }, '/Name'],
      [{ Name: 'n', Strict: 'maybe' }, '/Strict'],
      [{ Name: 'n', a: Array.from({ length: 40 }, String) }, '/a/0'],
    ] as const) {
      expect(rejectOf(value, lenient)).toMatchObject({ code: 'wrong_type', field });
    }
  });

  it('keep the event in any place and number, with all that was sent', () => {
    const wrong = fc.oneof(
      fc.constant({}),
      fc.constant([]),
      fc.string({ minLength: 1 }).map((text) => `x${text}`),
    );
    fc.assert(
      fc.property(wrong, fc.array(fc.oneof(fc.integer(), wrong), { maxLength: 8 }), (size, a) => {
        const extra = extraOf({ Name: 'n', Size: size, a }) as { Size: unknown; a?: unknown[] };
        expect(extra.Size).toEqual(size);
        a.forEach((value, index) => {
          if (typeof value !== 'number') expect(extra.a?.[index]).toEqual(value);
        });
      }),
    );
  });
});

describe('parserTransform', () => {
  it('decodes the events it claims and leaves the others where they are', () => {
    const other = event('Other', { Name: 5 });
    const done = event('Thing', { Name: 5 });
    done.record = { name: 'done' };
    const first = event('Thing', { Name: 'a', Size: '7' });
    const last = event('Thing', { Name: 'b' });
    const batch = apply([first, other, event('Thing', { Name: 5 }), done, last]);
    expect(batch.events).toEqual([first, other, done, last]);
    expect(first).toMatchObject({ eventType: things, record: { name: 'a', size: 7, extra: '' } });
    expect(last.record).toEqual({ name: 'b', size: null, extra: '' });
    expect(other.record).toBeUndefined();
    expect(done.record).toEqual({ name: 'done' });
    expect(batch.rejects).toHaveLength(1);
    expect(batch.size).toBe(5);
  });

  it.each([
    [{}, 'missing_key', '/Name', 'The key Name is required.'],
    [{ Name: null }, 'missing_key', '/Name', 'The value of Name is required and must not be null.'],
    [{ Name: 5 }, 'wrong_type', '/Name', 'The value of Name must be string, not number.'],
    [
      { Name: 'a', Size: [] },
      'wrong_type',
      '/Size',
      'The value of Size must be string or number or null, not array.',
    ],
    [
      { Name: 'a', Size: 'x' },
      'wrong_type',
      '/Size',
      'The value of Size must be a whole number, not other text.',
    ],
    [
      { Name: 'secret'.repeat(9) },
      'too_long',
      '/Name',
      'The value of Name must NOT have more than 20 characters.',
    ],
    [
      { Name: 'a', Parts: [{}, { 'a/b~c': 'secret' }] },
      'invalid_value',
      '/Parts/1/a~1b~0c',
      'The value of Parts/1/a~1b~0c must be equal to one of the allowed values.',
    ],
    ['text', 'wrong_type', '', 'The message must be object, not string.'],
    [null, 'missing_key', '', 'The message is required and must not be null.'],
  ])('rejects %j as %s at %s', (value, code, field, message) => {
    const raw = Buffer.from(JSON.stringify(value));
    expect(rejectOf(value)).toEqual({ stage: 'validate', code, field, message, raw, eventType: 'things' });
  });

  it('passes on what decode and read reject', () => {
    const refuse = (): never => {
      throw new RejectError('bad_time', '/Time', 'The time is bad.', 'parse');
    };
    const expected = { stage: 'parse', code: 'bad_time', field: '/Time', message: 'The time is bad.' };
    expect(rejectOf({ Name: 'a' }, { decode: refuse })).toMatchObject(expected);
    expect(rejectOf({ Name: 'a' }, { read: refuse })).toMatchObject(expected);
  });

  it('turns any other error into a reject without its text', () => {
    const reject = rejectOf(
      { Name: 'a' },
      {
        decode: () => {
          throw new TypeError('secret');
        },
      },
    );
    expect(reject).toMatchObject({ stage: 'validate', code: 'decode_failed', field: '' });
    expect(JSON.stringify(reject)).not.toContain('secret');
  });

  it('applies the schema to what read returns, and gives decode the clock and the origin', () => {
    const batch = apply([event('Thing', 'a,b')], {
      read: ({ value }) => ({ Name: String(value).split(',')[1] }),
      decode: (thing, { receivedAt, origin }) => ({
        name: `${String(thing['Name'])} ${receivedAt} ${origin.senderHost}`,
      }),
    });
    expect(batch.events[0]?.record).toEqual({ name: `b ${Date.UTC(2026, 10, 20, 12)} FS-1` });
  });

  it('arranges messages by the keys that it is given', () => {
    const keys = new KnownKeys(['Name', 'Size', 'Parts']);
    const seen: unknown[] = [];
    const decode = (thing: Thing): EventRecord => {
      seen.push(Object.keys(thing));
      return { name: coerceText(thing['Name'], '/Name'), extra: extraText(keys.rest(thing)) };
    };
    const sent = event('Thing', { Odd: [1], Name: 'a' });
    const batch = apply([sent, event('Thing', { Odd: 1 })], { keys, decode });
    expect(seen).toEqual([['Name', 'Size', 'Parts']]);
    expect(sent.record).toEqual({ name: 'a', extra: '{"Odd":[1]}' });
    expect(batch.rejects).toMatchObject([{ code: 'missing_key', field: '/Name', eventType: 'things' }]);
  });

  it('reads numbers that JSON.parse would round digit for digit', () => {
    const read = (text: string): unknown => {
      const batch = apply([createEvent('Thing', JSON.parse(text), Buffer.from(text))]);
      return batch.events[0]?.record ?? batch.rejects[0]?.code;
    };
    expect(read('{"Name":"\\"1\\\\","Size":18446744073709551615}')).toEqual({
      name: '"1\\',
      size: 18446744073709551615n,
      extra: '',
    });
    expect(read('{"Name":"a","Size":18446744073709551616}')).toBe('invalid_value');
    expect(
      read('{"Name":"a","b":[{"c":12345678901234567890}],"d":1.5,"e":1e999,"12345678901234567890":2}'),
    ).toEqual({
      name: 'a',
      size: null,
      extra: '{"b":[{"c":"12345678901234567890"}],"d":1.5,"e":"1e999","12345678901234567890":2}',
    });
  });

  it('survives a message that is nested too deeply to be written again', () => {
    const text = `{"Name":"a","deep":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    const batch = apply([createEvent('Thing', JSON.parse(text), Buffer.from(text))]);
    expect(batch.rejects).toMatchObject([{ code: 'decode_failed', eventType: 'things' }]);
  });

  it('loses no event and never throws, whatever comes', () => {
    const value = fc.oneof(fc.anything(), fc.record({ Name: fc.anything(), Size: fc.jsonValue() }));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('Thing', 'Other'), value)), (pairs) => {
        const events = pairs.map(([type, each]) => createEvent(type, each, Buffer.from('{}')));
        const batch = apply([...events]);
        expect(batch.size).toBe(events.length);
        expect(batch.events).toEqual(events.filter((each) => batch.events.includes(each)));
        for (const each of batch.events) expect(each.record !== undefined).toBe(each.type === 'Thing');
      }),
    );
  });

  it('refuses a schema that is wrong when it is made', () => {
    expect(() => parserTransform({ ...options, schema: { type: 'object', unknownKeyword: 1 } })).toThrow(
      /unknownKeyword/,
    );
  });
});
