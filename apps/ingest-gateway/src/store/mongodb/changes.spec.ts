import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRecordingLogger, type RecordingLogger } from '@activity-gateway/pipeline/testing';
import {
  describeWithMongo,
  dropDatabase,
  freshDatabase,
  startMongo,
  withClient,
  type TestMongo,
} from '../../../../../test/support/mongodb.js';
import { pollUntil } from '../../../../../test/support/poll.js';
import { AgentsService } from '../../agents/index.js';
import { SettingsService } from '../../settings/index.js';
import { createEmbeddedStore } from '../embedded/embedded-store.js';
import { followStore, type StoreFollower } from '../follow-store.js';
import type { Store } from '../repositories.js';
import { createMongoStore } from './mongodb-store.js';

const KEY = 'a'.repeat(64);
/** The default is too short for what waits for several polls on a busy machine. */
jest.setTimeout(30_000);

/** What one gateway process has of the store. */
interface Gateway {
  readonly store: Store;
  readonly agents: AgentsService;
  readonly settings: SettingsService;
  readonly follower: StoreFollower;
}

describeWithMongo('two gateways on one MongoDB', () => {
  let mongo: TestMongo;
  let dir: string;
  let installation: Store;
  let database: string;
  let logger: RecordingLogger;
  const open: Store[] = [];

  beforeAll(async () => {
    mongo = await startMongo();
    dir = await mkdtemp(join(tmpdir(), 'changes-'));
    installation = await createEmbeddedStore(dir);
  }, 30_000);
  afterAll(async () => {
    await installation.close();
    await mongo.dispose();
    await rm(dir, { recursive: true, force: true });
  });
  beforeEach(() => {
    database = freshDatabase();
    logger = createRecordingLogger();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((store) => store.close()));
    await dropDatabase(mongo.uri, database);
  });

  const openStore = (reloadMs?: number): Store => {
    const store = createMongoStore({
      uri: mongo.uri,
      database,
      installation: installation.installation,
      logger,
      ...(reloadMs === undefined ? {} : { reloadMs }),
    });
    open.push(store);
    return store;
  };
  const gateway = async (): Promise<Gateway> => {
    const store = openStore();
    const agents = await AgentsService.load(store, logger);
    const settings = await SettingsService.load(store.settings, {}, logger);
    const follower = followStore(store.changes, [agents, settings]);
    await follower.loaded;
    return { store, agents, settings, follower };
  };
  const names = ({ agents }: Gateway): string[] =>
    agents.allowlist.current.map(({ hostname }) => hostname).sort();
  /** Counts calls from the second one on: the first only says that the subscription has begun. */
  const countNews = async (store: Store): Promise<() => number> => {
    let calls = 0;
    store.changes.subscribe(async () => void (calls += 1));
    await pollUntil('the first call', () => calls === 1);
    return () => calls - 1;
  };

  it('an agent that is added, renamed or removed at one is so at the other', async () => {
    const [one, other] = [await gateway(), await gateway()];
    await one.agents.add(KEY, 'FS-1');
    await pollUntil('the agent', () => names(other).join() === 'FS-1');
    await other.agents.add(KEY, 'FS-2');
    await pollUntil('the new name', () => names(one).join() === 'FS-2');
    const told: number[] = [];
    other.agents.allowlist.subscribe((entries) => told.push(entries.length));
    await one.agents.remove(KEY);
    await pollUntil('the removal', () => names(other).length === 0);
    expect(told).toEqual([0]);
  });

  it('a setting that is changed or reset at one acts on the other', async () => {
    const [one, other] = [await gateway(), await gateway()];
    const seen: number[] = [];
    other.settings.snapshot.subscribe((snapshot) => seen.push(snapshot.activitymonitor_batch_size));
    await one.settings.set('activitymonitor_batch_size', 50);
    await pollUntil('the value', () => seen.at(-1) === 50);
    await one.settings.reset('activitymonitor_batch_size');
    await pollUntil('the default', () => seen.at(-1) === 100);
    expect(seen).toEqual([50, 100]);
  });

  it('loses nothing when both change at once', async () => {
    const [one, other] = [await gateway(), await gateway()];
    const hosts = Array.from({ length: 20 }, (_, index) => `FS-${index}`);
    const add = (host: string, index: number): Promise<unknown> =>
      (index % 2 === 0 ? one : other).agents.add(index.toString(16).padStart(64, '0'), host);
    await Promise.all(hosts.map(add));
    for (const each of [one, other]) {
      await pollUntil('all agents', () => names(each).join() === [...hosts].sort().join());
    }
  });

  it('tells neither of what it has changed itself, nor of counts and sights', async () => {
    const [one, other] = [openStore(), openStore()];
    const [oneNews, otherNews] = [await countNews(one), await countNews(other)];
    await one.enrollmentTokens.insert({
      codeHash: 'c',
      createdAt: 1,
      expiresAt: 9,
      revokedAt: null,
      uses: 0,
    });
    await pollUntil('the news', () => otherNews() === 1);
    for (let sight = 1; sight < 30; sight += 1) {
      await one.enrollmentTokens.tryUse('c', 5);
      await one.agents.touch(new Map([[KEY, sight]]));
    }
    await other.settings.set('a', 1);
    await pollUntil('what the other has changed', () => oneNews() === 1);
    expect(otherNews()).toBe(1);
  });

  it('tells again a listener that failed, and none that has gone', async () => {
    const store = openStore();
    let calls = 0;
    let gone = 0;
    store.changes.subscribe(() =>
      (calls += 1) < 3 ? Promise.reject(new Error('not yet')) : Promise.resolve(),
    );
    store.changes.subscribe(async () => void (gone += 1))();
    await pollUntil('the third attempt', () => calls === 3);
    expect(gone).toBe(0);
    expect(logger.lines.filter(({ level }) => level === 'warn')).toHaveLength(2);
  });

  it('reads anew from time to time, in case a gateway died before it could tell', async () => {
    const news = await countNews(openStore(1_500));
    await pollUntil('a call without a change', () => news() > 0);
  });

  describe('somebody who works on the database', () => {
    it('acts on gateways when the revision goes back, as after a restored backup', async () => {
      const one = await gateway();
      await one.agents.add(KEY, 'FS-1');
      const news = await countNews(one.store);
      await withClient(mongo.uri, async (client) => {
        await client.db(database).collection('agents').deleteMany({});
        const meta = client.db(database).collection<{ _id: string }>('meta');
        // Lower than anything that has been read, however many changes there were.
        await meta.updateOne({ _id: 'revision' }, { $set: { value: -1 } }, { upsert: true });
      });
      await pollUntil('the news', () => news() > 0);
      await pollUntil('the removal', () => names(one).length === 0);
    });
  });
});
