import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { arrangeBy, BufferPool, compileFunction, Fifo, Line, type Keyed } from './index.js';

/** Keys that could break generated code, and that every object has of itself, among others. */
const key = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'Host', 'Path', '"', '`${', '\u2028', '0', '12'),
);
const keys = fc.uniqueArray(key, { maxLength: 40 });

/** An object whose keys, `__proto__` too, are its own. */
function objectOf(entries: readonly (readonly [string, unknown])[]): Keyed {
  return Object.fromEntries(entries);
}

describe('arrangeBy', () => {
  it('gives the values that a look-up of each key gives, and the other keys in their order', () => {
    const message = fc.uniqueArray(fc.tuple(key, fc.jsonValue()), {
      maxLength: 40,
      selector: ([name]) => name,
    });
    fc.assert(
      fc.property(keys, message, (known, entries) => {
        const sent = objectOf(entries);
        const others = { keys: ['left over from the message before'], count: 0 };
        const arranged = arrangeBy(known)(sent, others);
        const plain = known.map(
          (name) => [name, Object.hasOwn(sent, name) ? sent[name] : undefined] as const,
        );
        expect(Object.entries(arranged)).toEqual(Object.entries(objectOf(plain)));
        expect(others.keys.slice(0, others.count)).toEqual(
          Object.keys(sent).filter((name) => !known.includes(name)),
        );
      }),
      { numRuns: 300 },
    );
  });
});

describe('compileFunction', () => {
  it('makes the object that Object.fromEntries makes, whatever its keys', () => {
    fc.assert(
      fc.property(keys, (names) => {
        const members = names.map((name, at) => `[${JSON.stringify(name)}]: values[${at}]`);
        const make = compileFunction<(values: unknown[]) => Keyed>(
          ['values'],
          `return { ${members.join()} };`,
        );
        const values = names.map((_, at) => at);
        const plain = objectOf(names.map((name, at) => [name, at]));
        expect(Object.entries(make(values))).toEqual(Object.entries(plain));
      }),
      { numRuns: 300 },
    );
  });

  it('sees the values of its scope, and nothing of where it is compiled', () => {
    const add = compileFunction<(one: number) => number>(['one'], 'return one + two + extra();', {
      two: 2,
      extra: () => 4,
      missing: undefined,
    });
    expect(add(1)).toBe(7);
    expect(() => compileFunction<() => unknown>([], 'return names;')()).toThrow(ReferenceError);
  });
});

describe('Line', () => {
  it('gives the bytes and the text that its stretch of the chunk has, also where it is long or no UTF-8', () => {
    const long = fc.tuple(fc.string(), fc.constantFrom('x', 'ä', '漢', '😀')).map(([text, letter]) => {
      return Buffer.from(`${text}${letter.repeat(9_000)}`);
    });
    const bytes = fc.uint8Array({ maxLength: 100 }).map((each) => Buffer.from(each));
    const cut = fc.tuple(fc.nat(5), fc.nat(5));
    fc.assert(
      fc.property(fc.array(fc.oneof(long, bytes), { maxLength: 3 }), cut, (parts, [start, tail]) => {
        const chunk = Buffer.concat(parts);
        const from = Math.min(start, chunk.length);
        const to = Math.max(from, chunk.length - tail);
        const line = new Line(chunk, from, to);
        const plain = chunk.subarray(from, to);
        expect([line.length, line.first]).toEqual([plain.length, plain[0]]);
        expect(line.bytes.equals(plain)).toBe(true);
        expect(line.text === plain.toString('utf8')).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

describe('Fifo', () => {
  it('is an array whose first item is shifted off', () => {
    const step = fc.record({ push: fc.nat(900), shift: fc.nat(1_000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const [fifo, plain] = [new Fifo<number>(), [] as number[]];
        let next = 0;
        for (const each of steps) {
          for (let n = each.push; n > 0; n -= 1) {
            next += 1;
            fifo.push(next);
            plain.push(next);
          }
          for (let n = each.shift; n > 0; n -= 1) {
            if (fifo.shift() !== plain.shift()) throw new Error('Another item came.');
          }
          expect([fifo.size, fifo.peek()]).toEqual([plain.length, plain[0]]);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('BufferPool', () => {
  it('gives buffers that are as good as new ones: large enough, and of one holder', () => {
    const step = fc.tuple(fc.boolean(), fc.nat(6_000));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const pool = new BufferPool({ minBytes: 256, maxSpareBytes: 4_096 });
        const held: { readonly buffer: Buffer; readonly mark: number }[] = [];
        for (const [at, [take, bytes]] of steps.entries()) {
          const given = take ? undefined : held.splice(bytes % (held.length || 1), 1)[0];
          if (given !== undefined) pool.give(given.buffer);
          if (!take) continue;
          const buffer = pool.take(bytes);
          expect(buffer.length).toBeGreaterThanOrEqual(bytes);
          held.push({ buffer: buffer.fill(at), mark: at });
        }
        for (const { buffer, mark } of held) expect(buffer.every((byte) => byte === mark)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});
