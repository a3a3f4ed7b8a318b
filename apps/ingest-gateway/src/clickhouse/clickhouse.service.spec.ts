import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  clickHouseDefaults,
  createTestClient,
  silentLogger,
  startTestClickHouse,
  type TestClickHouse,
  untilStatus,
  shippedEventTypes,
} from '../../../../test/support/clickhouse.js';
import { openToAll } from '../../../../test/support/open-clickhouse.js';
import { createClickHouseService } from './clickhouse.service.js';
import { startEmbeddedServer } from './embedded-server.js';
import type { ClickHouseOptions, ClickHouseService } from './types.js';

let directory: string;
let services: ClickHouseService[];
let clickhouses: TestClickHouse[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gateway-service-'));
  services = [];
  clickhouses = [];
});
afterEach(async () => {
  await Promise.all(services.map((service) => service.stop()));
  await Promise.all(clickhouses.map((clickhouse) => clickhouse.stop()));
  await rm(directory, { recursive: true, force: true });
});

function create(config: Partial<ClickHouseOptions['config']> = {}): ClickHouseService {
  const service = createClickHouseService({
    eventTypes: shippedEventTypes,
    config: { ...clickHouseDefaults, ...config },
    dataDir: directory,
    logger: silentLogger,
  });
  services.push(service);
  return service;
}

async function embedded(config?: Partial<ClickHouseOptions['config']>): Promise<TestClickHouse> {
  const clickhouse = await startTestClickHouse(config);
  clickhouses.push(clickhouse);
  return clickhouse;
}

/** Process id of the embedded server: the one whose options name the directory. */
function serverPid(): number {
  const lines = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8', maxBuffer: 2 ** 24 }).split('\n');
  const line = lines.find((each) => each.includes(directory) && each.includes('chdb_query_cmdline'));
  if (line === undefined) throw new Error(`No server of ${directory} is running.`);
  return Number.parseInt(line, 10);
}

describe('the ClickHouse service', () => {
  it('does nothing before its start, and stops without one', async () => {
    const service = create();
    expect(service.status()).toEqual({ mode: 'embedded', state: 'starting', url: '' });
    expect(service.endpoint.current).toBeUndefined();
    await expect(service.summary()).rejects.toMatchObject({ code: 'CLICKHOUSE_UNAVAILABLE' });
    await service.stop();
    await service.stop();
    service.start();
    expect(service.status().state).toBe('stopped');
  });

  it('starts an embedded server, migrates it, and then says where it is', async () => {
    const service = create();
    service.start();
    const status = await untilStatus(service, ({ state }) => state === 'ok');
    expect(status).toMatchObject({ mode: 'embedded', schemaVersion: 2 });
    expect(status.version).toMatch(/^\d+\.\d+/);
    expect(service.endpoint.current).toEqual({
      url: status.url,
      database: 'activity',
      username: 'gateway',
      password: expect.stringMatching(/^[\w-]{43}$/),
    });
    await service.stop();
    await expect(service.summary()).rejects.toMatchObject({ code: 'CLICKHOUSE_UNAVAILABLE' });
    await expect(fetch(status.url)).rejects.toThrow();
  });

  it('starts a killed server again, at the same place with another password, with all rows and tokens', async () => {
    const service = create();
    service.start();
    const before = await untilStatus(service, ({ state }) => state === 'ok');
    const endpoint = service.endpoint.current!;
    const insert = async (): Promise<void> => {
      const client = createTestClient(service.endpoint.current!);
      await client.insert({
        table: 'dead_letters',
        values: [{ received_at: '2026-11-20 09:15:02.187', code: 'x' }],
        format: 'JSONEachRow',
        clickhouse_settings: { async_insert: 0, insert_deduplication_token: 'token' },
      });
      await client.close();
    };
    await insert();
    process.kill(serverPid(), 'SIGKILL');
    await untilStatus(service, ({ state }) => state === 'degraded');
    // Nobody is to send to a port that another program may have by now.
    expect(service.endpoint.current).toBeUndefined();
    await untilStatus(service, ({ state }) => state === 'ok');
    expect(service.status()).toEqual(before);
    expect(service.endpoint.current).toEqual({ ...endpoint, password: expect.any(String) });
    expect(service.endpoint.current?.password).not.toBe(endpoint.password);
    await insert();
    expect((await service.summary()).deadLetters).toEqual({ total: 1, byCode: { x: 1 } });
  });

  it('waits for a server of the user that is down, and gets through when it is up', async () => {
    const other = await mkdtemp(join(tmpdir(), 'gateway-external-'));
    await openToAll(other);
    const probe = await startEmbeddedServer({ directory: other, port: 0, database: 'activity' });
    await probe.stop();
    const service = create({ url: probe.url });
    service.start();
    const failed = await untilStatus(service, ({ state }) => state === 'failed');
    expect(failed).toMatchObject({
      mode: 'external',
      url: probe.url,
      reason: expect.stringMatching(/ECONNREFUSED/),
    });
    expect(service.endpoint.current).toBeUndefined();
    const server = await startEmbeddedServer({ directory: other, port: probe.port, database: 'activity' });
    try {
      await untilStatus(service, ({ state }) => state === 'ok');
      expect(service.endpoint.current?.url).toBe(probe.url);
    } finally {
      await service.stop();
      await server.stop();
      await rm(other, { recursive: true, force: true });
    }
  });

  it('says that the user or the password is wrong', async () => {
    const { endpoint } = await embedded();
    const service = create({ url: endpoint.url, username: 'nobody', password: 'secret-word' });
    service.start();
    const { reason } = await untilStatus(service, ({ state }) => state === 'failed');
    expect(reason).toMatch(/nobody|[Aa]uthentication/);
    expect(JSON.stringify(service.status())).not.toContain('secret-word');
  });

  it('says what is in the way of an embedded server', async () => {
    const first = create();
    first.start();
    await untilStatus(first, ({ state }) => state === 'ok');
    const second = create();
    second.start();
    const { reason } = await untilStatus(second, ({ state }) => state === 'failed');
    expect(reason).toMatch(/Another process uses the ClickHouse data/);
  });

  it('migrates once when several gateways start together', async () => {
    const clickhouse = await embedded({ database: 'first' });
    const { url } = clickhouse.endpoint;
    const together = [1, 2, 3].map(() => create({ url, database: 'shared' }));
    for (const service of together) service.start();
    for (const service of together) await untilStatus(service, ({ state }) => state === 'ok');
    const tables = await clickhouse.rows("SELECT name FROM system.tables WHERE database = 'shared'");
    expect(tables).toHaveLength(6);
  });

  it('keeps the log of its server inside its directory', async () => {
    const { directory: data } = await embedded();
    expect(await readFile(join(data, 'clickhouse', 'config.xml'), 'utf8')).toContain(data);
  });
});
