import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRecordingLogger } from '@activity-gateway/pipeline/testing';
import { createEmbeddedStore, type Store } from '../store/index.js';
import { numberSettings, settingNames, settingsSchema, SettingsService } from './index.js';

describe('SettingsService', () => {
  let dir: string;
  let store: Store;
  const logger = createRecordingLogger();
  const load = (file: Record<string, number | boolean> = {}): Promise<SettingsService> =>
    SettingsService.load(store.settings, file, logger);

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'settings-'));
    store = await createEmbeddedStore(dir);
  });
  afterEach(async () => {
    await store.close();
    await rm(dir, { recursive: true, force: true });
  });

  it('takes the store before the file before the default, and survives a restart', async () => {
    const file = { activitymonitor_batch_size: 200, activitymonitor_max_connections: 500 };
    const settings = await load(file);
    await settings.set('activitymonitor_batch_size', 300);
    const { current } = (await load(file)).snapshot;
    expect(current.activitymonitor_batch_size).toBe(300);
    expect(current.activitymonitor_max_connections).toBe(500);
    expect(current.activitymonitor_tcp_port).toBe(1514);
    expect(current.enable_activitymonitor_ingestion).toBe(true);
    expect((await load(file)).list().filter((setting) => setting.overridden)).toEqual([
      {
        key: 'activitymonitor_max_connections',
        value: 500,
        default: 100,
        min: 10,
        max: 1000,
        unit: 'connections',
        description: expect.any(String),
        overridden: true,
        source: 'config',
      },
      expect.objectContaining({ key: 'activitymonitor_batch_size', value: 300, source: 'store' }),
    ]);
  });

  it('tells subscribers of a change with a new snapshot, and resets to what is below', async () => {
    const settings = await load({ enable_activitymonitor_ingestion: false });
    const before = settings.snapshot.current;
    const told: boolean[] = [];
    settings.snapshot.subscribe((snapshot) => told.push(snapshot.enable_activitymonitor_ingestion));
    await settings.set('enable_activitymonitor_ingestion', true);
    expect(await settings.reset('enable_activitymonitor_ingestion')).toBe(true);
    expect(await settings.reset('enable_activitymonitor_ingestion')).toBe(false);
    expect(told.slice(0, 2)).toEqual([true, false]);
    expect(before.enable_activitymonitor_ingestion).toBe(false);
    expect(settings.snapshot.current).not.toBe(before);
  });

  it.each(Object.entries(numberSettings))('holds %s to its range', async (name, { minimum, maximum }) => {
    const settings = await load();
    for (const value of [minimum - 1, maximum + 1, minimum + 0.5, String(minimum), true, null, NaN]) {
      await expect(settings.set(name, value)).rejects.toMatchObject({
        code: 'SETTING_INVALID',
        hint: expect.stringContaining(`${minimum} to ${maximum}`),
      });
    }
    for (const value of [minimum, maximum]) {
      await settings.set(name, value);
      expect(settings.list().find((setting) => setting.key === name)?.value).toBe(value);
    }
  });

  it('names the nearest setting for one that does not exist', async () => {
    const settings = await load();
    await expect(settings.set('activitymonitor_batchsize', 1)).rejects.toMatchObject({
      code: 'SETTING_UNKNOWN',
      hint: expect.stringContaining('"activitymonitor_batch_size"'),
    });
    await expect(settings.set('enable_activitymonitor_ingestion', 1)).rejects.toMatchObject({
      code: 'SETTING_INVALID',
    });
  });

  it('passes over what another version has stored, and says so', async () => {
    await store.settings.set('activitymonitor_of_the_future', 1);
    await store.settings.set('activitymonitor_batch_size', 9);
    const settings = await load();
    expect(settings.snapshot.current.activitymonitor_batch_size).toBe(100);
    expect(logger.lines.filter((line) => line.level === 'warn')).toHaveLength(2);
  });

  it('takes port 0 from the file only', async () => {
    const settings = await load({ activitymonitor_tcp_port: 0 });
    expect(settings.snapshot.current.activitymonitor_tcp_port).toBe(0);
    await expect(settings.set('activitymonitor_tcp_port', 0)).rejects.toMatchObject({
      code: 'SETTING_INVALID',
    });
    await expect(load({ activitymonitor_batch_size: 9 })).rejects.toMatchObject({ code: 'SETTING_INVALID' });
  });
});

describe('settingsSchema', () => {
  const validate = new Ajv({ strict: true }).compile(settingsSchema);

  it('knows every setting, and nothing else', () => {
    expect(Object.keys(settingsSchema['properties'] as object)).toEqual(settingNames);
    expect(settingNames).toHaveLength(15);
    expect(validate({ activitymonitor_tcp_port: 0, enable_activitymonitor_ingestion: false })).toBe(true);
    expect(validate({ activitymonitor_port: 1514 })).toBe(false);
    expect(validate({ activitymonitor_batch_size: 9 })).toBe(false);
    expect(validate({ activitymonitor_batch_size: 10.5 })).toBe(false);
  });
});
