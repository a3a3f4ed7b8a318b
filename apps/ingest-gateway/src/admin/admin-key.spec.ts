import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRecordingLogger, type RecordingLogger } from '@activity-gateway/pipeline/testing';
import { createEmbeddedStore, type Store } from '../store/index.js';
import { AdminKey, bearerOf } from './admin-key.js';

describe('AdminKey', () => {
  let dataDir: string;
  let store: Store;
  let logger: RecordingLogger;
  const load = (configured?: string): Promise<AdminKey> =>
    AdminKey.load({ configured, installation: store.installation, dataDir, logger });
  const written = async (): Promise<string> => (await readFile(join(dataDir, 'admin.key'), 'utf8')).trim();

  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'admin-key-'));
    store = await createEmbeddedStore(join(dataDir, 'store'));
    logger = createRecordingLogger();
  });
  afterEach(async () => {
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('is made once, readable for its own user only, and stored as a hash', async () => {
    const first = await load();
    const key = await written();
    expect(key).toMatch(/^[\w-]{43}$/);
    expect(first.matches(key)).toBe(true);
    expect((await stat(first.file ?? '')).mode & 0o777).toBe(0o600);
    expect((await load()).matches(key)).toBe(true);
    expect(await written()).toBe(key);
    expect(await store.installation.get('admin_key_hash')).not.toContain(key);
    expect(JSON.stringify(logger.lines)).not.toContain(key);
    expect(logger.lines.map((line) => line.fields['file'])).toEqual([join(dataDir, 'admin.key')]);
  });

  it('is replaced when its file was deleted or changed', async () => {
    await load();
    const lost = await written();
    await rm(join(dataDir, 'admin.key'));
    const second = await load();
    expect(second.matches(lost)).toBe(false);
    expect(second.matches(await written())).toBe(true);
    await writeFile(join(dataDir, 'admin.key'), 'chosen by somebody');
    expect((await load()).matches('chosen by somebody')).toBe(false);
    expect(await readdir(dataDir)).toEqual(['admin.key', 'store']);
  });

  it('is the configured one, without a file', async () => {
    const key = await load('configured-key-0123');
    expect(key.file).toBeUndefined();
    expect(key.matches('configured-key-0123')).toBe(true);
    expect(key.matches('configured-key-012')).toBe(false);
    expect(bearerOf(undefined)).toBeUndefined();
    expect(bearerOf('Bearer ')).toBeUndefined();
    expect(bearerOf('Basic abc')).toBeUndefined();
    expect(bearerOf('bearer  abc ')).toBe('abc');
    expect(await readdir(dataDir)).toEqual(['store']);
    expect(logger.lines).toEqual([]);
    await load('short');
    expect(logger.lines.map((line) => line.level)).toEqual(['warn']);
  });
});
