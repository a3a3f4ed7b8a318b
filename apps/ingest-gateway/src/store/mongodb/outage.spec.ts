import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Collection } from 'mongodb';
import { createRecordingLogger, type RecordingLogger } from '@activity-gateway/pipeline/testing';
import { freePort } from '../../../../../test/support/gateway.js';
import {
  describeWithOwnMongo,
  startOwnMongo,
  withClient,
  type OwnTestMongo,
} from '../../../../../test/support/mongodb.js';
import { pollUntil } from '../../../../../test/support/poll.js';
import { TcpProxy } from '../../../../../test/support/tcp-proxy.js';
import { AgentsService } from '../../agents/index.js';
import { SettingsService } from '../../settings/index.js';
import { createEmbeddedStore } from '../embedded/embedded-store.js';
import { followStore } from '../follow-store.js';
import type { Store, StoredAgent } from '../repositories.js';
import { createMongoStore } from './mongodb-store.js';

const KEY = 'a'.repeat(64);
/** No operation may take longer, ms. */
const BOUND_MS = 5_000;

const agent = (spkiHash: string): StoredAgent => ({
  spkiHash,
  hostname: 'FS-1',
  sourceIp: '',
  enrolledAt: 1,
  lastSeenAt: null,
  agentVersion: null,
});

describeWithOwnMongo('a MongoDB that goes away', () => {
  let mongo: OwnTestMongo;
  let dir: string;
  let installation: Store;
  let logger: RecordingLogger;
  const open: Store[] = [];

  beforeEach(async () => {
    mongo = await startOwnMongo();
    dir = await mkdtemp(join(tmpdir(), 'outage-'));
    installation = await createEmbeddedStore(dir);
    logger = createRecordingLogger();
  }, 30_000);
  afterEach(async () => {
    await Promise.all(open.splice(0).map((store) => store.close()));
    await installation.close();
    await mongo.dispose();
    await rm(dir, { recursive: true, force: true });
  }, 30_000);

  const openStore = (uri = mongo.uri): Store => {
    const store = createMongoStore({
      uri,
      database: 'outage',
      installation: installation.installation,
      logger,
    });
    open.push(store);
    return store;
  };
  const isThere = (store: Store): Promise<unknown> =>
    pollUntil('the store', () => store.status().state === 'ok');
  const isGone = (store: Store): Promise<unknown> =>
    pollUntil('the end of the store', () => store.status().state === 'degraded');
  const errors = (): string[] =>
    logger.lines.filter(({ level }) => level === 'error').map(({ message }) => message);

  it('fails at once while it is known to be gone, says why, and is used again when it comes back', async () => {
    const store = openStore();
    await store.agents.upsert(agent(KEY));
    await isThere(store);
    await mongo.kill();
    await isGone(store);
    expect(store.status().reason).toMatch(/^MongoDB at 127\.0\.0\.1:\d+ cannot be used: .+\.$/);
    const begin = Date.now();
    for (let attempt = 0; attempt < 100; attempt += 1) {
      await expect(store.agents.delete(KEY)).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        hint: expect.any(String),
      });
    }
    // Each one that asked would have waited for seconds.
    expect(Date.now() - begin).toBeLessThan(10_000);
    await mongo.restart();
    await isThere(store);
    expect(await store.agents.list()).toEqual([agent(KEY)]);
    expect(errors()).toHaveLength(1);
  }, 60_000);

  it('serves what was read last, and reads anew when it is back', async () => {
    const [store, other] = [openStore(), openStore()];
    const agents = await AgentsService.load(store, logger);
    const settings = await SettingsService.load(store.settings, {}, logger);
    const follower = followStore(store.changes, [agents, settings]);
    await agents.add(KEY, 'FS-1');
    await isThere(store);
    await isThere(other);
    await mongo.kill();
    await isGone(store);
    await expect(agents.remove(KEY)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await expect(settings.set('activitymonitor_batch_size', 50)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    expect(agents.allowlist.current).toHaveLength(1);
    expect(settings.snapshot.current.activitymonitor_batch_size).toBe(100);
    agents.seen([KEY], 7_000);
    await mongo.restart();
    await isThere(other);
    await other.agents.delete('unknown');
    await pollUntil('the sight', async () => (await other.agents.get(KEY))?.lastSeenAt === 7_000);
    await other.agents.delete(KEY);
    await pollUntil('the removal', () => agents.allowlist.current.length === 0);
    follower.stop();
    await agents.stop();
  }, 60_000);

  it('is waited for when it is not there at the start', async () => {
    await mongo.kill();
    const store = openStore();
    const begin = Date.now();
    const agents = await AgentsService.load(store, logger);
    const settings = await SettingsService.load(store.settings, { activitymonitor_batch_size: 40 }, logger);
    expect(Date.now() - begin).toBeLessThan(BOUND_MS);
    expect([agents.loaded, settings.loaded]).toEqual([false, false]);
    expect(settings.snapshot.current.activitymonitor_batch_size).toBe(40);
    expect(store.status().state).toBe('failed');
    const follower = followStore(store.changes, [agents, settings]);
    await mongo.restart();
    await follower.loaded;
    expect([agents.loaded, settings.loaded]).toEqual([true, true]);
    expect(store.status()).toEqual({ state: 'ok' });
  }, 60_000);

  it('holds nobody for long when it takes connections and says nothing', async () => {
    const proxy = await TcpProxy.start(mongo.port);
    proxy.open();
    const store = openStore(`mongodb://127.0.0.1:${proxy.port}/`);
    await isThere(store);
    await store.settings.set('a', 1);
    proxy.hang();
    const begin = Date.now();
    const attempts = [store.settings.set('a', 2), store.agents.list(), store.enrollmentTokens.get('x')];
    for (const { status } of await Promise.allSettled(attempts)) expect(status).toBe('rejected');
    expect(Date.now() - begin).toBeLessThan(BOUND_MS);
    await isGone(store);
    proxy.open();
    await isThere(store);
    await store.settings.set('a', 3);
    expect(await store.settings.list()).toEqual(new Map([['a', 3]]));
    await store.close();
    await proxy.close();
  }, 60_000);

  it('never shows the password of its URI', async () => {
    const store = openStore(`mongodb://admin:secret-word@127.0.0.1:${await freePort()}/`);
    const error = await store.agents.list().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    const shown = [String(error), JSON.stringify(error), JSON.stringify(logger.lines), store.status().reason];
    expect(shown.join()).not.toContain('secret-word');
  }, 30_000);

  it('has all that it acknowledged after kill -9 under use', async () => {
    const acknowledged: string[] = [];
    const store = openStore();
    await isThere(store);
    for (let round = 0; round < 5; round += 1) {
      const writers = Array.from({ length: 8 }, (_, writer) => write(`${round}-${writer}`));
      await pollUntil('writes', () => acknowledged.length >= (round + 1) * 100);
      await mongo.kill();
      await Promise.all(writers);
      await mongo.restart();
      await isThere(store);
    }
    const stored = new Set((await store.agents.list()).map(({ spkiHash }) => spkiHash));
    expect(acknowledged.filter((key) => !stored.has(key))).toEqual([]);
    expect(acknowledged.length).toBeGreaterThanOrEqual(500);

    async function write(prefix: string): Promise<void> {
      for (let count = 0; ; count += 1) {
        try {
          await store.agents.upsert(agent(`${prefix}-${count}`));
          acknowledged.push(`${prefix}-${count}`);
        } catch {
          return;
        }
      }
    }
  }, 120_000);

  // The control of the test above: were the journal not waited for, such a kill would show it.
  it('loses what was acknowledged without the journal', async () => {
    let lost = 0;
    for (let round = 0; round < 5 && lost === 0; round += 1) {
      const acknowledged = await withClient(mongo.uri, async (client) => {
        const numbers = client
          .db('control')
          .collection<{ _id: string }>(`round_${round}`, { writeConcern: { w: 1, journal: false } });
        return writeUntilKilled(numbers);
      });
      await mongo.restart();
      const stored = await withClient(mongo.uri, (client) =>
        client.db('control').collection(`round_${round}`).countDocuments(),
      );
      lost = acknowledged - stored;
    }
    expect(lost).toBeGreaterThan(0);
  }, 120_000);

  async function writeUntilKilled(numbers: Collection<{ _id: string }>): Promise<number> {
    let acknowledged = 0;
    let killed: Promise<void> | undefined;
    for (;;) {
      try {
        await numbers.insertOne({ _id: String(acknowledged) });
      } catch {
        await killed;
        return acknowledged;
      }
      acknowledged += 1;
      if (acknowledged === 1_000) killed = mongo.kill();
    }
  }
});
