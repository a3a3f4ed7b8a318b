import { describe, expect, it } from '@jest/globals';
import { defineEventType, type EventRecord } from '../api/index.js';
import { recordProblems, SAMPLE_VARIANTS, sampleRecord } from './index.js';

const type = defineEventType({
  name: 'all_kinds',
  fields: {
    event_time: { kind: 'time' },
    text: { kind: 'text' },
    keyword: { kind: 'keyword', nullable: true },
    ip: { kind: 'ip', nullable: true },
    small: { kind: 'uint8' },
    middle: { kind: 'uint16' },
    large: { kind: 'uint64', nullable: true },
    yes: { kind: 'bool' },
    'group.texts': { kind: 'text[]' },
    'group.keywords': { kind: 'keyword[]' },
    'group.numbers': { kind: 'uint64[]' },
    'group.flags': { kind: 'bool[]' },
    map: { kind: 'keyword-map' },
  },
});
const good = sampleRecord(type);

describe('sampleRecord', () => {
  it.each(SAMPLE_VARIANTS)('makes whole records: %s', (variant) => {
    for (let index = 0; index < 10; index += 1) {
      expect(recordProblems(type, sampleRecord(type, variant, index))).toEqual([]);
    }
  });

  it('makes nulls where they are allowed, and different records for different indexes', () => {
    expect(sampleRecord(type, 'empty')).toMatchObject({ keyword: null, large: null, text: '' });
    expect(sampleRecord(type, 'plain', 1)).not.toEqual(sampleRecord(type, 'plain', 2));
    expect(sampleRecord(type, 'repeated', 1)).toEqual(sampleRecord(type, 'repeated', 2));
  });
});

describe('recordProblems', () => {
  it.each<[string, EventRecord, string]>([
    ['a number in place of a text', { text: 1 }, 'text holds no text: 1 (number)'],
    ['a null that is not allowed', { text: null }, 'text holds no text: null'],
    ['a fraction in a time', { event_time: 1.5 }, 'event_time holds no time'],
    ['a number over the limit', { small: 256 }, 'small holds no uint8'],
    ['a negative number', { large: -1n }, 'large holds no uint64: -1n'],
    ['an address that is not canonical', { ip: '2001:DB8::1' }, 'ip holds no ip'],
    ['an object in place of a map', { map: [] }, 'map holds no keyword-map'],
    ['an element of another kind', { 'group.texts': ['a', 1] as never }, 'group.texts holds no text[]'],
    ['parts of a group that differ in length', { 'group.flags': [true] }, 'group.flags has 1 elements'],
  ])('finds %s', (_what, change, problem) => {
    expect(recordProblems(type, { ...good, ...change }).join()).toContain(problem);
  });

  it('finds missing, additional and misplaced fields', () => {
    const { text, ...without } = good;
    expect(recordProblems(type, without)).toHaveLength(1);
    expect(recordProblems(type, { ...without, text: text ?? '' })).toHaveLength(1);
    expect(recordProblems(type, { ...good, more: 1 })).toHaveLength(1);
  });
});
