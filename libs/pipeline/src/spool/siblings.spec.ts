import { beforeEach, describe, expect, it } from '@jest/globals';
import type { EntryMeta, SpoolKey } from './format.js';
import { Siblings } from './siblings.js';

const A: SpoolKey = ['a', 'table', 1];
const B: SpoolKey = ['b', 'table', 1];
const C: SpoolKey = ['c', 'table', 9];

const metaWith = (siblings?: readonly SpoolKey[]): EntryMeta => ({
  id: 'gw/000001/000000000001',
  rows: 1,
  bytes: 1,
  receivedAt: 0,
  crc: 0,
  ...(siblings && { siblings }),
});

describe('entries of the same events', () => {
  let waiting: SpoolKey[];
  let quarantined: SpoolKey[];
  let siblings: Siblings;
  const among = (keys: readonly SpoolKey[], key: SpoolKey): boolean =>
    keys.some((each) => each.join() === key.join());
  /** The record of an entry is removed from the tables. */
  const gone = (key: SpoolKey): void => {
    waiting = waiting.filter((each) => each.join() !== key.join());
    siblings.endRemoval(key);
  };

  beforeEach(() => {
    waiting = [A, B, C];
    quarantined = [];
    siblings = new Siblings({
      waits: (key) => among(waiting, key),
      setAside: (key) => among(quarantined, key),
    });
  });

  it('end at once when there are no siblings', () => {
    expect(siblings.beginRemoval(A, metaWith(), false)).toBe('written');
    expect(siblings.beginRemoval(A, metaWith(), true)).toBe('lost');
    expect(siblings.beginRemoval(A, metaWith([]), false)).toBe('written');
  });

  it('end with the last of them, in any order', () => {
    for (const order of [
      [A, B, C],
      [C, A, B],
      [B, C, A],
    ]) {
      waiting = [A, B, C];
      const ends = order.map((key) => {
        const end = siblings.beginRemoval(key, metaWith([A, B, C].filter((each) => each !== key)), false);
        gone(key);
        return end;
      });
      expect(ends).toEqual([undefined, undefined, 'written']);
    }
  });

  it('end once when the last two leave together, before the record of either is gone', () => {
    waiting = [A, B];
    expect(siblings.beginRemoval(A, metaWith([B]), false)).toBeUndefined();
    expect(siblings.beginRemoval(B, metaWith([A]), false)).toBe('written');
    gone(A);
    gone(B);
  });

  it('are lost when one of them is, whether it leaves now or was set aside before', () => {
    waiting = [A, B];
    expect(siblings.beginRemoval(A, metaWith([B]), true)).toBeUndefined();
    expect(siblings.beginRemoval(B, metaWith([A]), false)).toBe('lost');
    gone(A);
    gone(B);

    waiting = [A];
    quarantined = [B];
    expect(siblings.beginRemoval(A, metaWith([B]), false)).toBe('lost');
  });

  it('are told apart by sink, destination and ordinal', () => {
    waiting = [['a', 'other', 1]];
    expect(siblings.beginRemoval(B, metaWith([['a', 'table', 1]]), false)).toBe('written');
    expect(siblings.beginRemoval(C, metaWith([['a', 'other', 1]]), false)).toBeUndefined();
  });
});
