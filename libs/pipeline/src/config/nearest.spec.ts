import { describe, expect, it } from '@jest/globals';
import { nameHint, nearest } from './nearest.js';

const known = ['parsers.smb', 'parsers.sharepoint', 'parsers.leef', 'host', 'port'];

describe('nearest', () => {
  it.each([
    ['parser.smb', 'parsers.smb'],
    ['parsers.sharpoint', 'parsers.sharepoint'],
    ['PARSERS.LEEF', 'parsers.leef'],
    ['leef', 'parsers.leef'],
    ['hots', 'host'],
    ['x', undefined],
    ['parsers.kafka_topics', undefined],
  ])('finds for %s: %s', (name, expected) => {
    expect(nearest(name, known)).toBe(expected);
  });

  it('does not guess between several that end alike', () => {
    expect(nearest('endpoint', ['first.endpoint', 'second.endpoint'])).toBeUndefined();
  });
});

describe('nameHint', () => {
  it('lists what is known when nothing is near', () => {
    expect(nameHint('whatever', ['a', 'b'], 'Known')).toBe('Known: a, b.');
    expect(nameHint('whatever', [], 'Known')).toBeUndefined();
  });
});
