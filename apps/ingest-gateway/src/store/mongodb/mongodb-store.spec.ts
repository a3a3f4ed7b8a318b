import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRecordingLogger } from '@activity-gateway/pipeline/testing';
import {
  describeWithMongo,
  dropDatabase,
  freshDatabase,
  startMongo,
  withClient,
  type TestMongo,
} from '../../../../../test/support/mongodb.js';
import { pollUntil } from '../../../../../test/support/poll.js';
import { describeStoreConformance } from '../../../../../test/support/store-conformance.js';
import { openStore } from '../open-store.js';
import type { Store } from '../repositories.js';

/** Each write waits for a disk that others may keep busy. */
jest.setTimeout(30_000);

describeWithMongo('the MongoDB store', () => {
  let mongo: TestMongo;
  let dir: string;
  let database: string;
  beforeAll(async () => {
    mongo = await startMongo();
  }, 30_000);
  afterAll(() => mongo.dispose());
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'store-'));
    database = freshDatabase();
  });
  afterEach(async () => {
    await dropDatabase(mongo.uri, database);
    await rm(dir, { recursive: true, force: true });
  });
  const open = (): Promise<Store> =>
    openStore({
      config: { use: 'mongodb', uri: mongo.uri, database },
      dataDir: dir,
      logger: createRecordingLogger(),
    });

  describeStoreConformance('the MongoDB store', open);

  it('refuses a database that a later version has written, and changes nothing there', async () => {
    const first = await open();
    await first.settings.set('a', 1);
    await first.close();
    const setVersion = (version: string): Promise<unknown> =>
      withClient(mongo.uri, (client) =>
        client
          .db(database)
          .collection('meta')
          .updateOne({ _id: 'schema' as never }, { $set: { version } }),
      );
    expect(await setVersion('2')).toMatchObject({ matchedCount: 1 });
    const older = await open();
    const refusal = {
      message: expect.stringMatching(/schema version 2; this gateway knows versions up to 1/),
    };
    await expect(older.settings.set('a', 2)).rejects.toMatchObject(refusal);
    await pollUntil('the refusal', () => older.status().state === 'failed');
    expect(older.status().reason).toMatch(/schema version 2.*restore a backup of the database/);
    await expect(older.settings.list()).rejects.toMatchObject(refusal);
    await setVersion('1');
    await pollUntil('the store', () => older.status().state === 'ok');
    expect(await older.settings.list()).toEqual(new Map([['a', 1]]));
    await older.close();
  });

  describe('what it writes', () => {
    it('is keyed by _id, and nothing but hashes of secrets', async () => {
      const store = await open();
      await store.enrollmentTokens.insert({
        codeHash: 'c'.repeat(64),
        createdAt: 1,
        expiresAt: 2,
        revokedAt: null,
        uses: 0,
      });
      const [document] = await withClient(mongo.uri, (client) =>
        client.db(database).collection('enrollment_tokens').find().toArray(),
      );
      expect(document).toEqual({
        _id: 'c'.repeat(64),
        createdAt: 1,
        expiresAt: 2,
        revokedAt: null,
        uses: 0,
      });
      await store.close();
    });
  });
});
