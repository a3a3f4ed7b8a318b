import { describe, expect, it } from '@jest/globals';
import { numbers, until } from '../testing/index.js';
import type { Change } from './database.js';
import type { SpoolFull } from './disk-space.js';
import { GroupCommit, MAX_WAITING_BYTES } from './group-commit.js';
import type { SpoolWriter } from './writer.js';

const change = (n: number): Change => ({ table: 'meta', key: String(n), value: Buffer.from('x') });

/** A disk that a test can make slow, full or broken. */
class FakeDisk implements SpoolWriter {
  /** Keys of each flush that succeeded. */
  readonly flushes: string[][] = [];
  attempts = 0;
  onWrite: (changes: readonly Change[]) => Promise<void> = () => Promise.resolve();

  async write(changes: readonly Change[]): Promise<void> {
    this.attempts += 1;
    await this.onWrite(changes);
    this.flushes.push(changes.map(({ key }) => String(key)));
  }

  release(): Promise<void> {
    return Promise.resolve();
  }

  closeFile(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function make() {
  const disk = new FakeDisk();
  const state = {
    noRoom: undefined as SpoolFull | undefined,
    shown: [] as unknown[],
    failures: [] as unknown[],
  };
  const commits = new GroupCommit({
    writer: disk,
    room: () => state.noRoom,
    onRoom: (noRoom) => state.shown.push(noRoom?.why),
    onFlushed: () => undefined,
    onFailure: async (error) => void state.failures.push(error?.message),
  });
  return { disk, state, commits };
}

const enospc = (): Promise<void> => Promise.reject(new Error('ENOSPC'));

describe('GroupCommit', () => {
  it('flushes once for all that waits, in the order it came', async () => {
    const { disk, commits } = make();
    let finish = (): void => undefined;
    disk.onWrite = () => new Promise((resolve) => (finish = resolve));
    const all = [1, 2, 3].map((n) => commits.append([change(n)], 1).durable);
    await until(() => disk.attempts === 1);
    for (const n of [4, 5, 6, 7]) all.push(commits.append([change(n)], 1).durable);
    disk.onWrite = () => Promise.resolve();
    finish();
    await Promise.all(all);
    expect(disk.flushes).toEqual([
      ['1', '2', '3'],
      ['4', '5', '6', '7'],
    ]);
    expect(commits.idle).toBe(true);
  });

  it('tries again what fails, all of it and in order, and calls nothing durable before', async () => {
    const { disk, state, commits } = make();
    disk.onWrite = enospc;
    const durable: number[] = [];
    const all = numbers(0, 5).map((n) => commits.append([change(n)], 1).durable.then(() => durable.push(n)));
    await until(() => disk.attempts >= 3);
    expect(durable).toEqual([]);
    disk.onWrite = () => Promise.resolve();
    await Promise.all(all);
    expect(disk.flushes.flat()).toEqual(['0', '1', '2', '3', '4']);
    expect([state.failures[0], state.failures.at(-1)]).toEqual(['ENOSPC', undefined]);
  });

  it('writes changes, which make room, while appends fail or have no room', async () => {
    const { disk, state, commits } = make();
    disk.onWrite = (changes) => (changes.some(({ key }) => Number(key) < 10) ? enospc() : Promise.resolve());
    void commits.append([change(1)], 1);
    await until(() => disk.attempts >= 1);
    await commits.change([change(10)]);
    state.noRoom = { why: 'disk', reason: 'no' };
    await commits.change([change(11)]);
    expect(disk.flushes).toEqual([['10'], ['11']]);
    await commits.stop();
  });

  it('appends what waited when there is room again', async () => {
    const { disk, state, commits } = make();
    state.noRoom = { why: 'limit', reason: 'full' };
    const { durable } = commits.append([change(1)], 1);
    await until(() => state.shown.includes('limit'));
    expect(disk.attempts).toBe(0);
    state.noRoom = undefined;
    commits.wake();
    await durable;
    expect(state.shown.at(-1)).toBeUndefined();
  });

  it('accepts no more than its measure of bytes that wait', async () => {
    const { state, commits } = make();
    state.noRoom = { why: 'limit', reason: 'full' };
    await commits.append([change(1)], MAX_WAITING_BYTES).accepted;
    let accepted = false;
    const second = commits.append([change(2)], 1).accepted!.then(() => (accepted = true));
    await until(() => state.shown.length > 0);
    expect(accepted).toBe(false);
    state.noRoom = undefined;
    commits.wake();
    await second;
    expect(commits.waitingBytes).toBeLessThanOrEqual(MAX_WAITING_BYTES);
    await commits.stop();
  });

  it('flushes at most every 10 ms, and every 20 ms while much comes but not so much that appending would wait', async () => {
    const { disk, commits } = make();
    let began = -Infinity;
    let gap = 0;
    disk.onWrite = () => {
      gap = performance.now() - began;
      began = performance.now();
      return Promise.resolve();
    };
    // The shortest of some: the machine may have something else to do.
    const shortest = async (bytes: number): Promise<number> => {
      let least = Infinity;
      for (const n of numbers(0, 8)) {
        await commits.append([change(n)], bytes).durable;
        if (n > 0) least = Math.min(least, gap);
      }
      return least;
    };
    const little = await shortest(1_000);
    const much = await shortest(200_000);
    const most = await shortest(MAX_WAITING_BYTES / 2);
    expect([little > 8, little < 18, much > 18, most > 8, most < 18]).toEqual([true, true, true, true, true]);
  });

  it('ends with the flush under way, and writes nothing more', async () => {
    const { disk, commits } = make();
    let finish = (): void => undefined;
    disk.onWrite = () => new Promise((resolve) => (finish = resolve));
    const first = commits.append([change(1)], 1).durable;
    await until(() => disk.attempts === 1);
    void commits.append([change(2)], 1);
    const stopped = commits.stop();
    finish();
    await Promise.all([first, stopped]);
    expect(disk.flushes).toEqual([['1']]);
  });
});
