import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRecordingLogger, type RecordingLogger } from '@activity-gateway/pipeline/testing';
import {
  FakeClickHouse,
  FakeDataPlane,
  TEST_ADMIN_KEY,
  testConfig,
} from '../../../test/support/control-plane.js';
import { startGateway, type RunningGateway } from './bootstrap.js';

describe('startGateway', () => {
  let dataDir: string;
  let logger: RecordingLogger;
  let planes: FakeDataPlane[];
  let clickhouse: FakeClickHouse;
  const running: RunningGateway[] = [];

  const start = async (config: object = {}): Promise<RunningGateway> => {
    clickhouse = new FakeClickHouse();
    const gateway = await startGateway({
      config: { ...testConfig(dataDir), ...config },
      logger,
      makers: {
        createClickHouseService: () => clickhouse,
        createDataPlane: (options) => {
          const plane = new FakeDataPlane(options);
          planes.push(plane);
          return plane;
        },
      },
    });
    running.push(gateway);
    return gateway;
  };
  const agentsOf = async (gateway: RunningGateway, key = TEST_ADMIN_KEY): Promise<Response> =>
    fetch(`${gateway.httpUrl}/api/v1/nam-listener/agents`, { headers: { authorization: `Bearer ${key}` } });

  /** Neither lock nor pid file is left. */
  const expectOnlyData = async (): Promise<void> => {
    expect((await readdir(dataDir)).sort()).toEqual(['run', 'store']);
    expect(await readdir(join(dataDir, 'run'))).toEqual([]);
  };

  beforeEach(async () => {
    dataDir = join(await mkdtemp(join(tmpdir(), 'bootstrap-')), 'data');
    logger = createRecordingLogger();
    planes = [];
  });
  afterEach(async () => {
    for (const gateway of running.splice(0)) await gateway.stop();
    await rm(join(dataDir, '..'), { recursive: true, force: true });
  });

  it('serves REST with a key that it made, and says where', async () => {
    const gateway = await start({ admin: {} });
    await gateway.started;
    expect(gateway.adminKeyFile).toBe(join(dataDir, 'admin.key'));
    const key = (await readFile(join(dataDir, 'admin.key'), 'utf8')).trim();
    expect((await agentsOf(gateway, key)).status).toBe(200);
    expect((await agentsOf(gateway)).status).toBe(401);
    expect(gateway.status().listener).toMatchObject({ state: 'listening' });
    expect(logger.lines.map((line) => line.fields)).toContainEqual({
      url: gateway.httpUrl,
      adminKeyFile: gateway.adminKeyFile,
    });
    expect(JSON.stringify(logger.lines)).not.toContain(key);
  });

  it('keeps its identity over a restart and never gives an epoch twice', async () => {
    const ids: string[] = [];
    const epochs: string[] = [];
    for (let i = 0; i < 2; i += 1) {
      const gateway = await start();
      await gateway.started;
      const { gatewayId, handlers } = planes.at(-1)!.options;
      ids.push(gatewayId);
      epochs.push(await handlers.nextEpoch());
      await gateway.stop();
    }
    expect(ids[0]).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(ids[1]).toBe(ids[0]);
    expect(epochs).toEqual(['0000000001', '0000000002']);
  });

  it('refuses a data directory that another gateway uses, and leaves that one alone', async () => {
    const first = await start();
    await expect(start()).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE' });
    expect((await agentsOf(first)).status).toBe(200);
  });

  it('leaves nothing behind when it cannot start', async () => {
    await expect(start({ settings: { activitymonitor_batch_size: 1 } })).rejects.toMatchObject({
      code: 'SETTING_INVALID',
    });
    // ClickHouse is started before the settings are known: it takes as long as the rest.
    expect([clickhouse.starts, clickhouse.stops]).toEqual([1, 1]);
    await expectOnlyData();
    await expect(start()).resolves.toBeDefined();
  });

  it('stops once: data plane first, then what it needs', async () => {
    const gateway = await start();
    await gateway.started;
    planes[0]!.options.handlers.agentsSeen(['a'.repeat(64)], 1, {});
    const deadline = Date.now() + 1_000;
    await Promise.all([gateway.stop(deadline), gateway.stop()]);
    expect(planes[0]!.calls.filter(([name]) => name === 'stop')).toEqual([['stop', deadline]]);
    expect(clickhouse.stops).toBe(1);
    await expect(agentsOf(gateway)).rejects.toThrow();
    await expectOnlyData();
    expect(logger.lines.filter((line) => line.level === 'error')).toEqual([]);
  });

  it('stops the rest when one part fails to', async () => {
    const gateway = await start();
    await gateway.started;
    planes[0]!.stop = () => Promise.reject(new Error('stuck'));
    clickhouse.stop = () => Promise.reject(new Error('stuck too'));
    expect(await gateway.stop()).toEqual([]);
    expect(logger.lines.filter((line) => line.level === 'error')).toHaveLength(2);
    await expectOnlyData();
  });
});
