import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FAKE_REACTOR } from '../../../../test/support/fake-reactor.js';
import { pollUntil } from '../../../../test/support/poll.js';
import { isRunning } from '@activity-gateway/pipeline/helpers';
import { ReactorLauncher, type ForkedReactor } from './reactor-launcher.js';

describe('ReactorLauncher', () => {
  let dataDir: string;
  let forks: ReactorLauncher;
  const forked: ForkedReactor[] = [];

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'reactor-forks-'));
    await writeFile(join(dataDir, 'reactor.mjs'), FAKE_REACTOR);
    forks = new ReactorLauncher(dataDir, join(dataDir, 'reactor.mjs'));
  });
  afterEach(async () => {
    await forks.close();
    for (const each of forked.splice(0)) await each.end();
    await rm(dataDir, { recursive: true });
  });

  async function fork(): Promise<ForkedReactor> {
    const one = await forks.fork();
    forked.push(one);
    return one;
  }

  async function messagesOf(reactor: ForkedReactor): Promise<string[]> {
    const recordHeartbeat: string[] = [];
    reactor.listen(({ type }) => recordHeartbeat.push(type));
    expect(recordHeartbeat).toEqual([]);
    await pollUntil('the first message', () => recordHeartbeat.length > 0);
    return recordHeartbeat;
  }

  it('gives the process that was prepared once, with what it said before somebody listened', async () => {
    forks.prepare();
    forks.prepare();
    const first = await fork();
    await once(first.child, 'message');
    expect(await messagesOf(first)).toEqual(['hello']);
    const second = await fork();
    expect(second.child.pid).not.toBe(first.child.pid);
    expect(await messagesOf(second)).toEqual(['hello']);
  });

  it('starts another one where the prepared one has ended', async () => {
    const entry = join(dataDir, 'reactor.mjs');
    const pidFile = join(dataDir, 'pid');
    const dying = `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(pidFile)}, String(process.pid));`;
    await writeFile(entry, `${dying} process.exit(1);`);
    forks.prepare();
    const pid = await pollUntil('the process', async () => Number(await readFile(pidFile, 'utf8')));
    await pollUntil('its end', () => !isRunning(pid));
    await writeFile(entry, FAKE_REACTOR);
    expect(await messagesOf(await fork())).toEqual(['hello']);
  });

  it('ends what nobody took, and prepares nothing after that', async () => {
    forks.prepare();
    await forks.close();
    forks.prepare();
    expect(await messagesOf(await fork())).toEqual(['hello']);
  });

  it('tells why none can be started', async () => {
    const none = new ReactorLauncher(join(dataDir, 'reactor.mjs'));
    none.prepare();
    await expect(none.fork()).rejects.toThrow(/ENOTDIR|EEXIST/);
    await none.close();
  });
});
