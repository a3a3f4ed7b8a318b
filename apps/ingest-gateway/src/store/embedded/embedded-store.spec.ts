import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeStoreConformance } from '../../../../../test/support/store-conformance.js';
import { createEmbeddedStore } from './embedded-store.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'store-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describeStoreConformance('the embedded store', () => createEmbeddedStore(join(dir, 'store')));

describe('the embedded store', () => {
  it('says clearly that its directory cannot be used', async () => {
    await writeFile(join(dir, 'taken'), '');
    await expect(createEmbeddedStore(join(dir, 'taken', 'store'))).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining(join(dir, 'taken', 'store')),
    });
  });

  it('refuses what a later version has written, and says what to do', async () => {
    const store = await createEmbeddedStore(join(dir, 'store'));
    await store.installation.set('schema_version', '2');
    await store.close();
    await expect(createEmbeddedStore(join(dir, 'store'))).rejects.toMatchObject({
      code: 'STORE_SCHEMA_NEWER',
      message: expect.stringContaining('has schema version 2; this gateway knows versions up to 1'),
      hint: expect.stringMatching(/newer version.*backup/),
    });
  });

  it('fails a read or write after it was closed, instead of crashing', async () => {
    const store = await createEmbeddedStore(join(dir, 'store'));
    await store.close();
    await expect(store.installation.get('id')).rejects.toThrow();
    await expect(store.installation.set('id', 'x')).rejects.toThrow();
  });
});
