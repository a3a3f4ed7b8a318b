import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RejectError } from '@activity-gateway/pipeline/api';
import { readAttributes, type LeefAttributes } from './leef-attributes.js';
import { SeenKeys } from './seen-keys.js';

/** What the rules of the format say, without any memory of earlier lines; `undefined` where they refuse the text. */
function byRule(text: string, delimiter: string): [string, string][] | undefined {
  const pieces = text.split(delimiter);
  const named = pieces.filter((piece) => piece.slice(0, Math.max(piece.indexOf('='), 0)).trim() !== '');
  if (named.length === 0 && text.split(delimiter).some((piece) => piece.trim() !== '')) return undefined;
  const pairs = named.map((piece): [string, string] => [
    piece.slice(0, piece.indexOf('=')).trim(),
    piece.slice(piece.indexOf('=') + 1),
  ]);
  return pairs.filter(([key], at) => pairs.findIndex(([each]) => each === key) === at);
}

function read(text: string, delimiter: string): LeefAttributes | undefined {
  try {
    return readAttributes(`before${text}`, 6, delimiter);
  } catch (error) {
    if (error instanceof RejectError) return undefined;
    throw error;
  }
}

describe('readAttributes', () => {
  it('reads every line as if it were the first, whatever the lines before had', () => {
    const piece = fc.constantFrom(
      'a',
      'b',
      'ab',
      'a b',
      ' a',
      'key',
      '=',
      '==',
      '^',
      '\t',
      ';',
      ' ',
      'ü',
      '\uD800',
    );
    const text = fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, fc.constantFrom('\t', '^', ';', 'a', '=', 'ab'), (sent, by) => {
        // Of a text without its delimiter, which may be refused for its blanks, other tests tell.
        fc.pre(sent.includes(by));
        const attributes = read(sent, by);
        expect(attributes && [...attributes.values]).toEqual(byRule(sent, by));
      }),
      { numRuns: 3000 },
    );
  });

  it('stays right over more keys than it remembers, and over keys that hold a delimiter', () => {
    for (let n = 0; n < 5000; n += 1) {
      expect([...readAttributes(`k${n}=1\tk=2\t${'x'.repeat(100)}=3`, 0, '\t').values.keys()]).toEqual([
        `k${n}`,
        'k',
        'x'.repeat(100),
      ]);
    }
    expect([...readAttributes('a^b=1\tc=2', 0, '\t').values.keys()]).toEqual(['a^b', 'c']);
    expect([...readAttributes('a^b=1^c=2', 0, '^').values.keys()]).toEqual(['b', 'c']);
  });

  it('keeps repeated keys and pieces without one', () => {
    const { values, duplicates, unparsed } = readAttributes('a=1\ta=2\tnothing\tb=\ta=3\t\t=x', 0, '\t');
    expect([...values]).toEqual([
      ['a', '1'],
      ['b', ''],
    ]);
    expect([...(duplicates ?? [])]).toEqual([['a', ['1', '2', '3']]]);
    expect(unparsed).toEqual(['nothing', '=x']);
  });
});

describe('SeenKeys', () => {
  it('gives one key for one text, and remembers which came after which', () => {
    const keys = new SeenKeys();
    const first = keys.find('first', keys.start);
    const second = keys.find('second', first);
    expect(keys.find('first', second)).toBe(first);
    expect([keys.start.next, first.next, second.next]).toEqual([first, second, first]);
  });

  it('makes room again when it is full of keys that nobody sends any more', () => {
    const keys = new SeenKeys();
    const old = keys.find('old', keys.start);
    keys.find('after', old);
    for (let n = 0; n < 42_500; n += 1) keys.find(`k${n}`, keys.start);
    const first = keys.find('new', keys.start);
    expect(keys.find('new', keys.start)).toBe(first);
    expect(keys.find('old', keys.start)).not.toBe(old);
    expect(old.next).toBeUndefined();
  });

  it('keeps neither long keys nor texts that no UTF-8 gives', () => {
    const keys = new SeenKeys();
    for (const text of ['x'.repeat(65), 'a\uD800']) {
      expect(keys.find(text, keys.start).text).toBe(text);
      expect(keys.start.next).toBeUndefined();
    }
  });
});
