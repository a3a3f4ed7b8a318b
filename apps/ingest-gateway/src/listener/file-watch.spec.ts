import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pollUntil } from '../../../../test/support/poll.js';
import { FileWatch, type FileWatchTimes } from './file-watch.js';

/** Longer than a test: what is noticed was noticed without a poll. */
const SIGNS_ONLY: FileWatchTimes = { settleMs: 5, pollMs: 600_000 };
/** Signs come too late to matter. */
const POLLS_ONLY: FileWatchTimes = { settleMs: 600_000, pollMs: 10 };

describe('FileWatch', () => {
  let dir: string;
  let watch: FileWatch | undefined;
  let changes: number;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'file-watch-'));
    changes = 0;
  });
  afterEach(async () => {
    watch?.stop();
    await rm(dir, { recursive: true });
  });

  async function start(paths: string[], times: FileWatchTimes): Promise<void> {
    watch = new FileWatch(paths, () => (changes += 1), times);
    await watch.start();
  }
  const changed = (count: number): Promise<unknown> =>
    pollUntil(
      `${count} changes`,
      () => changes,
      (seen) => seen === count,
      5_000,
    );

  /** In one step: a look in the middle of a write in place would find the file empty, which counts as a change of its own. */
  async function put(file: string, contents: string): Promise<void> {
    await writeFile(join(dir, 'draft'), contents);
    await rename(join(dir, 'draft'), file);
  }

  it.each([
    ['signs of the file system', SIGNS_ONLY],
    ['polls alone', POLLS_ONLY],
  ])('notices by %s a file that is replaced, removed and made again', async (_, times) => {
    const file = join(dir, 'a');
    await writeFile(file, '1');
    await start([file], times);
    await put(file, '2');
    await changed(1);
    await rm(file);
    await changed(2);
    await put(file, '3');
    await changed(3);
  });

  it.each([
    ['signs of the file system', SIGNS_ONLY],
    ['polls alone', POLLS_ONLY],
  ])('notices by %s a file that is written in place', async (_, times) => {
    const file = join(dir, 'a');
    await writeFile(file, '1');
    await start([file], times);
    await writeFile(file, '2');
    await pollUntil('the change', () => changes > 0);
  });

  // The kernel gives another identifier at each read: a file that is always in the middle of being written. It needs Linux.
  (process.platform === 'linux' ? it : it.skip)('waits with the news until two looks agree', async () => {
    await start(['/proc/sys/kernel/random/uuid'], POLLS_ONLY);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(changes).toBe(0);
  });

  it('notices the symbolic link of a Kubernetes volume being turned', async () => {
    await mkdir(join(dir, '..v1'));
    await writeFile(join(dir, '..v1', 'tls.crt'), 'old');
    await symlink('..v1', join(dir, '..data'));
    await symlink(join('..data', 'tls.crt'), join(dir, 'tls.crt'));
    await start([join(dir, 'tls.crt')], SIGNS_ONLY);
    await mkdir(join(dir, '..v2'));
    await writeFile(join(dir, '..v2', 'tls.crt'), 'new');
    await symlink('..v2', join(dir, '..data_tmp'));
    await rename(join(dir, '..data_tmp'), join(dir, '..data'));
    await changed(1);
  });

  it('takes a file that is written anew with the same contents for unchanged', async () => {
    const file = join(dir, 'a');
    await writeFile(file, '1');
    await start([file], POLLS_ONLY);
    await put(file, '1');
    await writeFile(join(dir, 'other'), '1');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(changes).toBe(0);
  });

  it('waits for a directory that is not there yet', async () => {
    const file = join(dir, 'later', 'a');
    await start([file], POLLS_ONLY);
    await mkdir(join(dir, 'later'));
    await writeFile(file, '1');
    await pollUntil('the change', () => changes > 0);
  });

  it('is silent once it is stopped, and may be started again', async () => {
    const file = join(dir, 'a');
    await start([file], POLLS_ONLY);
    watch!.stop();
    await writeFile(file, '1');
    await watch!.start();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(changes).toBe(0);
    await put(file, '2');
    await changed(1);
  });
});
