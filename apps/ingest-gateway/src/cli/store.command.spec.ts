import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../../test/support/gateway.js';
import {
  describeWithMongo,
  dropDatabase,
  freshDatabase,
  startMongo,
  withClient,
  type TestMongo,
} from '../../../../test/support/mongodb.js';
import { acquireDirectoryLock, createEmbeddedStore } from '../store/index.js';
import { printError } from './print-error.js';
import { storeCommand } from './store.command.js';

const AGENT = {
  spkiHash: 'a'.repeat(64),
  hostname: 'FS-1',
  sourceIp: '10.0.0.5',
  enrolledAt: 1_000,
  lastSeenAt: 2_000,
  agentVersion: null,
};

let root: string;
let dataDir: string;
const environment = { ...process.env };

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'store-copy-'));
  dataDir = join(root, 'data');
  process.env['GATEWAY_DATA_DIR'] = dataDir;
  for (const name of ['MONGODB_URI', 'MONGODB_DATABASE', 'GATEWAY_STORE']) delete process.env[name];
});
afterEach(async () => {
  process.env = { ...environment };
  await rm(root, { recursive: true, force: true });
});

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(...argv: string[]): Promise<Outcome> {
  const texts = { out: '', err: '' };
  const out = jest
    .spyOn(process.stdout, 'write')
    .mockImplementation((text) => ((texts.out += String(text)), true));
  const err = jest
    .spyOn(process.stderr, 'write')
    .mockImplementation((text) => ((texts.err += String(text)), true));
  try {
    return { code: await storeCommand().run(argv).catch(printError), ...texts };
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
}

async function grow(): Promise<void> {
  const store = await createEmbeddedStore(join(dataDir, 'store'));
  await store.agents.upsert(AGENT);
  await store.settings.set('activitymonitor_batch_size', 50);
  await store.close();
}

describe('gateway store', () => {
  const COPY = ['copy', '--from', 'embedded', '--to', 'mongodb'];

  it.each([
    [[], 'Say what to do: copy.'],
    [['move'], 'no action "move".'],
    [['copy'], '--from is missing'],
    [['copy', '--from', 'redis', '--to', 'mongodb'], '--from must be one of embedded, mongodb, not "redis"'],
    [['copy', '--from', 'mongodb', '--to', 'mongodb'], 'name the same store'],
    [[...COPY, '--overwrit'], 'Did you mean --overwrite?'],
    [COPY, 'Give --uri, or set MONGODB_URI.'],
  ])('says how it is used: %j', async (argv, text) => {
    const { code, err } = await run(...argv);
    expect(code).toBe(2);
    expect(err).toContain(text);
    expect(err).toContain('(CLI_USAGE)');
  });

  it('explains itself', async () => {
    const { code, out } = await run('copy', '--help');
    expect([code, out]).toEqual([0, expect.stringContaining('Usage: gateway store copy [options]')]);
    expect((await run('--help')).out).toContain('copy [options]');
  });

  it('refuses a data directory without a store, and makes none', async () => {
    const { code, err } = await run(...COPY, '--uri', 'mongodb://127.0.0.1:1');
    expect(code).toBe(1);
    expect(err).toContain(`There is no embedded store in ${join(dataDir, 'store')}. `);
    expect(await readdir(root)).toEqual([]);
  });

  it('refuses while a gateway runs on the data directory', async () => {
    await grow();
    const lock = await acquireDirectoryLock(dataDir);
    const { code, err } = await run(...COPY, '--uri', 'mongodb://127.0.0.1:1');
    await lock.release();
    expect(code).toBe(1);
    expect(err).toContain('(DATA_DIR_IN_USE)');
  });

  it('says that the MongoDB does not answer, or cannot be meant, and shows no password', async () => {
    await grow();
    const { code, err } = await run(...COPY, '--uri', `mongodb://u:secret@127.0.0.1:${await freePort()}`);
    expect([code, err]).toEqual([1, expect.stringMatching(/ECONNREFUSED.*\(STORE_UNAVAILABLE\)\n$/)]);
    const wrong = await run(...COPY, '--uri', 'mongo://u:secret@db');
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('(STORE_URI_INVALID)')]);
    expect(err + wrong.err).not.toContain('secret');
    expect(await readdir(dataDir)).toEqual(['store']);
  });
});

/** Each write waits for a disk that others may keep busy. */
jest.setTimeout(30_000);

describeWithMongo('gateway store copy', () => {
  let mongo: TestMongo;
  let database: string;
  beforeAll(async () => {
    mongo = await startMongo();
  });
  afterAll(() => mongo.dispose());
  beforeEach(async () => {
    database = freshDatabase();
    process.env['MONGODB_URI'] = mongo.uri;
    await grow();
  });
  afterEach(() => dropDatabase(mongo.uri, database));
  const copy = (...more: string[]): Promise<Outcome> =>
    run('copy', '--from', 'embedded', '--to', 'mongodb', '--database', database, ...more);

  it('moves a grown installation, and back', async () => {
    expect(await copy()).toEqual({
      code: 0,
      out: `Copied from embedded to mongodb:
  agents             1 copied
  refused keys       0 copied
  enrollment tokens  0 copied
  settings           1 copied
  API keys           0 copied
  audit entries      0 copied
  rejected attempts  0 copied
Now run the gateway with GATEWAY_STORE=mongodb.
`,
      err: '',
    });
    const again = await copy();
    expect([again.code, again.out]).toEqual([
      0,
      expect.stringContaining('agents             0 copied, 1 already'),
    ]);

    await rm(dataDir, { recursive: true });
    const back = await run('copy', '--from', 'mongodb', '--to', 'embedded', '--database', database);
    expect([back.code, back.err]).toEqual([0, '']);
    const store = await createEmbeddedStore(join(dataDir, 'store'));
    expect(await store.agents.list()).toEqual([AGENT]);
    expect(await store.settings.list()).toEqual(new Map([['activitymonitor_batch_size', 50]]));
    await store.close();
  });

  it('refuses a target with something else in it, unless it is told to overwrite', async () => {
    const settings = withClient(mongo.uri, (client) =>
      client
        .db(database)
        .collection<{ _id: string; value: number }>('settings')
        .insertOne({ _id: 'activitymonitor_batch_size', value: 70 }),
    );
    await settings;
    const refused = await copy();
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('(STORE_NOT_EMPTY)')]);
    expect((await copy('--overwrite')).code).toBe(0);
    const stored = await withClient(mongo.uri, (client) =>
      client.db(database).collection('settings').find().toArray(),
    );
    expect(stored).toEqual([{ _id: 'activitymonitor_batch_size', value: 50 }]);
  });
});
