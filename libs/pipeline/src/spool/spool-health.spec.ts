import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { SpoolHealth } from './spool-health.js';

const LIMIT = { why: 'limit', reason: 'The spool is full: 1 MiB of 1 MiB.' } as const;
const DISK = { why: 'disk', reason: 'The disk is full.' } as const;
const GIB = 2 ** 30;

describe('the health of a spool', () => {
  let changes: number;
  let health: SpoolHealth;
  beforeEach(() => {
    jest.useFakeTimers();
    changes = 0;
    health = new SpoolHealth(() => (changes += 1));
  });
  afterEach(() => {
    health.close();
    jest.useRealTimers();
  });

  it('is good at first', () => {
    health.noteRoom(undefined);
    expect([health.full, health.problems, changes]).toEqual([false, [], 0]);
  });

  it('is full for a second after the last want of room, and says why', () => {
    health.noteRoom(LIMIT);
    expect([health.full, health.problems, changes]).toEqual([true, [LIMIT.reason], 1]);
    health.noteRoom(undefined);
    jest.advanceTimersByTime(999);
    expect([health.full, changes]).toEqual([true, 1]);
    jest.advanceTimersByTime(1);
    expect([health.full, health.problems, changes]).toEqual([false, [], 2]);
  });

  it('stays full while there is room only now and then, without a change each time', () => {
    for (let turn = 0; turn < 5; turn += 1) {
      health.noteRoom(LIMIT);
      health.noteRoom(undefined);
      jest.advanceTimersByTime(900);
    }
    expect([health.full, changes]).toEqual([true, 1]);
  });

  it('changes when the reason is another one', () => {
    health.noteRoom(LIMIT);
    health.noteRoom(DISK);
    health.noteRoom(DISK);
    expect([health.problems, changes]).toEqual([[DISK.reason], 2]);
  });

  it('says that it cannot be written, once for each failure, and that it works again', () => {
    const failure = Object.assign(new Error('Input/output error'), { code: 'EIO' });
    health.noteFailure(failure, GIB);
    health.noteFailure(failure, GIB);
    expect([health.full, changes]).toEqual([true, 1]);
    expect(health.problems).toEqual([expect.stringContaining('EIO: Input/output error')]);
    health.noteFailure(undefined, GIB);
    expect([health.full, health.problems, changes]).toEqual([false, [], 2]);
  });

  it('takes any failure on a full disk for what it is', () => {
    health.noteFailure(new Error('MDB_BAD_TXN'), 1024);
    expect(health.problems).toEqual([expect.stringContaining('The disk of the spool is full')]);
  });

  it('tells of both when it has neither room nor a disk that works', () => {
    health.noteRoom(LIMIT);
    health.noteFailure(new Error('no'), GIB);
    expect(health.problems).toHaveLength(2);
    health.noteFailure(undefined, GIB);
    expect([health.full, health.problems]).toEqual([true, [LIMIT.reason]]);
  });

  it('leaves no timer behind when it is closed', () => {
    health.noteRoom(LIMIT);
    health.noteRoom(undefined);
    health.close();
    expect(jest.getTimerCount()).toBe(0);
  });
});
