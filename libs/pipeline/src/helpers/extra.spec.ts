import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isExact } from './exact-numbers.js';
import { addExtra, extraText, keepIpText, KnownKeys, nestExtra } from './extra.js';

const known = new KnownKeys(['ActivityType', 'Host', 'UserId'], { User: 'UserId' });
const rest = (json: string, host?: string): string =>
  extraText(known.rest(JSON.parse(json) as Record<string, unknown>, 'AgentHost', host));

describe('KnownKeys', () => {
  it('has nothing to say of keys that have a column', () => {
    expect(known.rest({ ActivityType: 'x', Host: 'h', UserId: null })).toBeUndefined();
    expect(rest('{}')).toBe('');
  });

  it('keeps every other key as it was sent', () => {
    const sent = '{"a":1,"b":null,"c":{"d":[true,""]},"host":"x","received_at":"2020"}';
    expect(rest(sent.replace('{', '{"Host":"h",'))).toBe(sent);
  });

  it('keeps keys that objects have of themselves, and changes no prototype', () => {
    const sent = '{"__proto__":{"polluted":true},"constructor":1,"hasOwnProperty":2,"toString":3,"toJSON":4}';
    expect(rest(sent)).toBe(sent);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('keeps an alias only when the key it stands for was sent too', () => {
    expect(rest('{"User":"a"}')).toBe('');
    expect(rest('{"User":"a","UserId":null}')).toBe('');
    expect(rest('{"User":null,"UserId":"b"}')).toBe('');
    expect(rest('{"User":"a","UserId":"b"}')).toBe('{"User":"a"}');
  });

  it('tells the same of a message whatever the messages before it had, and in which order', () => {
    const key = fc.constantFrom('ActivityType', 'Host', 'UserId', 'User', 'AgentHost', 'x', 'toString', '1');
    fc.assert(
      fc.property(fc.uniqueArray(key), fc.constantFrom<unknown>(null, 'v', 1), (keys, value) => {
        const message = Object.fromEntries(keys.map((each) => [each, value]));
        const fresh = new KnownKeys(['ActivityType', 'Host', 'UserId'], { User: 'UserId' });
        expect(known.rest(message, 'AgentHost', 'v')).toEqual(fresh.rest(message, 'AgentHost', 'v'));
      }),
    );
  });

  it('keeps AgentHost when it differs from the enrolled one', () => {
    expect(rest('{"AgentHost":"FS-1"}', 'FS-1')).toBe('');
    expect(rest('{"AgentHost":"FS-2"}', 'FS-1')).toBe('{"AgentHost":"FS-2"}');
    expect(rest('{"AgentHost":{"a":1}}', 'FS-1')).toBe('{"AgentHost":{"a":1}}');
  });

  it('keeps any message whole when it knows no key', () => {
    const none = new KnownKeys([]);
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (message) => {
        const sent = JSON.parse(JSON.stringify(message)) as Record<string, unknown>;
        fc.pre(Object.keys(sent).length > 0 && isExact(sent));
        expect(JSON.parse(extraText(none.rest(sent)))).toEqual(sent);
      }),
    );
  });
});

describe('KnownKeys.arrange', () => {
  const anyKey = fc.constantFrom(
    ...['ActivityType', 'Host', 'UserId', 'User', 'AgentHost', '__proto__', 'toString', 'other', 'Rest', ''],
  );
  const anyMessage = fc
    .array(fc.tuple(anyKey, fc.constantFrom<unknown>('v', null, 0, { a: 1 })), { maxLength: 9 })
    .map((entries) => JSON.parse(JSON.stringify(Object.fromEntries(entries))) as Record<string, unknown>);

  it('has all known keys in one order, with the values that were sent', () => {
    const arranged = known.arrange({ UserId: 'u', other: 1, Host: null });
    expect(Object.entries(arranged as object)).toEqual([
      ['ActivityType', undefined],
      ['Host', null],
      ['UserId', 'u'],
      ['User', undefined],
    ]);
  });

  it('leaves for the rest what the message itself does', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const asSent = known.rest(message, 'AgentHost', 'v');
        const arranged = known.arrange(message) as Record<string, unknown>;
        expect(known.rest(arranged, 'AgentHost', 'v')).toEqual(asSent);
        expect(known.rest(message, 'AgentHost', 'v')).toEqual(asSent);
        expect(Object.entries(arranged).filter(([, value]) => value !== undefined)).toEqual(
          expect.arrayContaining(Object.entries(message).filter(([key]) => known.has(key))),
        );
      }),
    );
  });

  it('takes any name of a key', () => {
    const odd = ['__proto__', 'a"b', 'c\\', '\u2028', 'd\n', 'constructor', '0', '${x}'];
    const keys = new KnownKeys(odd);
    const sent = JSON.parse(`{${odd.map((key) => `${JSON.stringify(key)}:1`).join()}}`) as unknown;
    const arranged = keys.arrange(sent) as Record<string, unknown>;
    expect(new Set(Object.entries(arranged))).toEqual(new Set(odd.map((key) => [key, 1])));
    expect(Object.getPrototypeOf(arranged)).toBe(Object.prototype);
    expect(keys.rest(arranged)).toBeUndefined();
  });

  it.each([[null], ['text'], [5], [['Host']], [undefined]])('gives back %j, which is no object', (value) => {
    expect(known.arrange(value)).toBe(value);
  });
});

describe('addExtra', () => {
  it.each([[2 ** 53], [[1, { a: -(2 ** 60) }]], [{ a: [{ b: Number.POSITIVE_INFINITY }] }]])(
    'refuses %j, which was rounded',
    (value) => {
      expect(() => addExtra(undefined, 'k', value)).toThrow(expect.objectContaining({ field: '/k' }));
    },
  );

  it('takes any other value, and nests what it has made', () => {
    const inner = addExtra(undefined, '__proto__', { a: 1.5 });
    expect(extraText(nestExtra(addExtra(undefined, 'a', [null, true]), 'b', [inner, {}]))).toBe(
      '{"a":[null,true],"b":[{"__proto__":{"a":1.5}},{}]}',
    );
  });
});

describe('extraText', () => {
  it('has no lone surrogate in it, at any depth, and leaves all else as it is', () => {
    const text = fc.array(fc.constantFrom('\\', '\\u', 'd800', '\ud800', '\udfff', '😀', 'x', '"'), {
      maxLength: 8,
    });
    const any = text.map((parts) => parts.join(''));
    fc.assert(
      fc.property(any, any, any, (key, inner, value) => {
        const read = JSON.parse(extraText({ [key]: { [inner]: [value, { [value]: 1 }] } })) as unknown;
        const [k, i, v] = [key, inner, value].map((each) => Buffer.from(each).toString()) as [
          string,
          string,
          string,
        ];
        expect(read).toEqual({ [k]: { [i]: [v, { [v]: 1 }] } });
      }),
    );
  });

  it('has none where it is long either', () => {
    const long = 'x\\ud800"'.repeat(10_000);
    const extra = { 'k\ud800': [`${long}\ud800`, { long }] };
    expect(JSON.parse(extraText(extra))).toEqual({ 'k\ufffd': [`${long}\ufffd`, { long }] });
  });

  it('keeps every value of keys that differ in lone surrogates only', () => {
    const inner = { '\ud800': 1, '\ufffd': 2, '\ufffd_2': 3, '\udc00': 4 };
    const read = JSON.parse(extraText({ inner })) as { inner: object };
    expect(Object.values(read.inner)).toEqual([1, 2, 3, 4]);
  });
});

describe('keepIpText', () => {
  it('keeps what the address does not tell', () => {
    const message = { ClientIP: '10.0.0.5:80' };
    expect(keepIpText(undefined, message, 'ClientIP', { address: '10.0.0.5', rest: false })).toBeUndefined();
    expect(
      keepIpText(addExtra(undefined, 'a', 1), message, 'ClientIP', { address: '10.0.0.5', rest: true }),
    ).toEqual({
      a: 1,
      ClientIP: '10.0.0.5:80',
    });
  });
});
