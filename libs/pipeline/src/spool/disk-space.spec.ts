import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { DiskSpace } from './disk-space.js';

const MIB = 2 ** 20;
let directory: string;
beforeEach(() => {
  // The file system is looked at every 100 ms: a busy machine must not make it one look more.
  jest.useFakeTimers();
  directory = mkdtempSync(join(tmpdir(), 'room-'));
});
afterEach(() => {
  jest.useRealTimers();
  rmSync(directory, { recursive: true });
});

describe('DiskSpace', () => {
  it('ends at the limit, except for what an empty spool is to take', () => {
    const room = new DiskSpace(directory, { maxBytes: 10 * MIB, diskReserveBytes: 0 });
    expect(room.check(9 * MIB, MIB)).toBeUndefined();
    expect(room.check(9 * MIB, MIB + 1)).toMatchObject({ why: 'limit' });
    expect(room.check(0, 20 * MIB)).toBeUndefined();
  });

  it('ends at the reserve of the file system', () => {
    const room = new DiskSpace(directory, { maxBytes: 2 ** 40, diskReserveBytes: 2 ** 60 });
    expect(room.check(0, 1)).toMatchObject({ why: 'disk', reason: expect.stringContaining('reserve') });
  });

  it('counts room inside its own file, which does not shrink, so that a drained spool goes on', () => {
    const file = join(directory, 'data.mdb');
    writeFileSync(file, '');
    truncateSync(file, 200 * MIB);
    const room = new DiskSpace(directory, { maxBytes: 2 ** 40, diskReserveBytes: 2 ** 60 });
    expect(room.check(MIB, 16 * MIB)).toBeUndefined();
    expect(room.check(150 * MIB, 16 * MIB)).toMatchObject({ why: 'disk' });
    room.grew(150 * MIB);
    expect(room.check(MIB, 16 * MIB)).toMatchObject({ why: 'disk' });
    jest.advanceTimersByTime(100);
    expect(room.check(MIB, 16 * MIB)).toBeUndefined();
  });
});
