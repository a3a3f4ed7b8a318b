import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { processStart } from '@activity-gateway/pipeline/helpers';
import { createRecordingLogger } from '@activity-gateway/pipeline/testing';
import { pollUntil } from '../../../../test/support/poll.js';
import { acquireDirectoryLock } from './directory-lock.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lock-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const holder = (changes: object): string =>
  JSON.stringify({ id: 'other', pid: process.pid, host: hostname(), since: 'then', ...changes });

describe('the lock of a data directory', () => {
  it('is refused to a second holder, and says who has it', async () => {
    const lock = await acquireDirectoryLock(dir);
    await expect(acquireDirectoryLock(dir)).rejects.toMatchObject({
      code: 'DATA_DIR_IN_USE',
      message: expect.stringContaining(`process ${process.pid}`),
    });
    await lock.release();
    await lock.release();
    const again = await acquireDirectoryLock(dir);
    await again.release();
    expect(await readdir(dir)).toEqual([]);
  });

  it('goes to exactly one of many that come at once, also over a stale lock', async () => {
    await writeFile(join(dir, 'gateway.lock'), holder({ processStart: 'an earlier process' }));
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => acquireDirectoryLock(dir)));
    const winners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(winners).toHaveLength(1);
    expect(await readdir(dir)).toEqual(['gateway.lock']);
    await winners[0]?.release();
  });

  it('is taken from a process that was killed', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await once(child, 'spawn');
    const pid = child.pid ?? 0;
    await writeFile(join(dir, 'gateway.lock'), holder({ pid, processStart: processStart(pid) }));
    await expect(acquireDirectoryLock(dir)).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE' });
    child.kill('SIGKILL');
    await once(child, 'exit');
    const lock = await acquireDirectoryLock(dir);
    expect(JSON.parse(await readFile(join(dir, 'gateway.lock'), 'utf8'))).toMatchObject({ pid: process.pid });
    await lock.release();
  });

  it('is taken over when another process has the id by now, or nobody is named', async () => {
    for (const text of [holder({ processStart: 'an earlier process' }), '{"half a lo']) {
      await writeFile(join(dir, 'gateway.lock'), text);
      const lock = await acquireDirectoryLock(dir);
      await lock.release();
    }
  });

  it('is left to a holder on another host until that has been silent', async () => {
    const path = join(dir, 'gateway.lock');
    await writeFile(path, holder({ host: 'elsewhere' }));
    await expect(acquireDirectoryLock(dir)).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE' });
    const minuteAgo = new Date(Date.now() - 60_000);
    await utimes(path, minuteAgo, minuteAgo);
    const lock = await acquireDirectoryLock(dir);
    await lock.release();
  });

  it('is left for a while to a process whose id says nothing here: it is of another container', async () => {
    const path = join(dir, 'gateway.lock');
    // Ours, so it runs; and one that is not there.
    for (const pid of [process.pid, 2 ** 22 + 1]) {
      await writeFile(path, holder({ pid, pidSpace: 'elsewhere' }));
      await expect(acquireDirectoryLock(dir)).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE' });
    }
    const minuteAgo = new Date(Date.now() - 60_000);
    await utimes(path, minuteAgo, minuteAgo);
    await (await acquireDirectoryLock(dir)).release();
  });

  const onLinux = process.platform === 'linux' ? it : it.skip;
  onLinux('is taken from a process that has ended and that nobody has waited for', async () => {
    const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [text] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(text.toString());
    const stat = (): Promise<string> => readFile(`/proc/${pid}/stat`, 'utf8');
    await pollUntil('a zombie', stat, (line) => / Z /.test(line));
    await writeFile(join(dir, 'gateway.lock'), holder({ pid, processStart: processStart(pid) }));
    await (await acquireDirectoryLock(dir)).release();
    parent.kill();
  });

  it('is waited for when its holder is on another host, and the wait is told once', async () => {
    const path = join(dir, 'gateway.lock');
    const logger = createRecordingLogger();
    await writeFile(path, holder({ host: 'elsewhere' }));
    const waiting = acquireDirectoryLock(dir, { logger });
    await pollUntil('the line', () => logger.lines.length > 0);
    expect(logger.lines).toMatchObject([
      {
        message: 'Data directory in use; waiting for its lock',
        fields: { host: 'elsewhere', waitMs: 30_000 },
      },
    ]);
    // It died: nobody has refreshed its lock for nearly long enough.
    const then = new Date(Date.now() - 24_500);
    await utimes(path, then, then);
    await (await waiting).release();
    expect(logger.lines).toHaveLength(1);
  });

  it('is waited for a little when its holder runs, and longer when that is being stopped', async () => {
    const logger = createRecordingLogger();
    const first = await acquireDirectoryLock(dir);
    const began = Date.now();
    const refused = acquireDirectoryLock(dir, { logger });
    await expect(refused).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE' });
    const shortWaitMs = Date.now() - began;
    await first.stopping();
    const second = acquireDirectoryLock(dir, { logger });
    setTimeout(() => void first.release(), shortWaitMs + 500);
    await (await second).release();
  }, 15_000);

  it('is not waited for any more when the start is called off', async () => {
    const first = await acquireDirectoryLock(dir);
    const start = new AbortController();
    const waiting = acquireDirectoryLock(dir, { logger: createRecordingLogger(), signal: start.signal });
    start.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'START_ABORTED' });
    await first.release();
  });

  it('is not given up by a holder that has lost it', async () => {
    const lock = await acquireDirectoryLock(dir);
    await writeFile(join(dir, 'gateway.lock'), holder({ id: 'new holder' }));
    await lock.release();
    expect(await readdir(dir)).toEqual(['gateway.lock']);
  });

  it('says clearly that a directory cannot be used', async () => {
    await writeFile(join(dir, 'file'), '');
    await expect(acquireDirectoryLock(join(dir, 'file', 'data'))).rejects.toMatchObject({
      code: 'DATA_DIR_UNUSABLE',
    });
  });
});
