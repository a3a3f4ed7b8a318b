import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createRecordingLogger, type RecordingLogger } from '@activity-gateway/pipeline/testing';
import {
  clickHouseDefaults,
  startTestClickHouse,
  type TestClickHouse,
  untilStatus,
  shippedEventTypes,
} from '../../../../test/support/clickhouse.js';
import { openToAll } from '../../../../test/support/open-clickhouse.js';
import { pollUntil } from '../../../../test/support/poll.js';
import { createClickHouseService } from './clickhouse.service.js';
import { startEmbeddedServer } from './embedded-server.js';
import type { ClickHouseOptions, ClickHouseService } from './types.js';

let clickhouse: TestClickHouse;
const running: ClickHouseService[] = [];
beforeAll(async () => {
  clickhouse = await startTestClickHouse();
}, 60_000);
afterEach(() => Promise.all(running.splice(0).map((service) => service.stop())));
afterAll(() => clickhouse.stop());

/** The ClickHouse of a gateway that uses the suite's server as its own. */
function create(
  config: Partial<ClickHouseOptions['config']>,
  logger: RecordingLogger = createRecordingLogger(),
): ClickHouseService {
  const service = createClickHouseService({
    eventTypes: shippedEventTypes,
    config: { ...clickHouseDefaults, url: clickhouse.endpoint.url, ...config },
    dataDir: '/nowhere',
    logger,
  });
  running.push(service);
  service.start();
  return service;
}

const settled = (service: ClickHouseService): ReturnType<typeof untilStatus> =>
  untilStatus(service, ({ state }) => state === 'ok' || state === 'degraded');

/** Stores events of these ages in days. */
function insert(database: string, ages: readonly number[]): Promise<void> {
  const values = ages.map((age) => `(now64(3) - INTERVAL ${age} DAY)`).join(', ');
  return clickhouse.run(
    `INSERT INTO ${database}.file_events (event_time) SETTINGS async_insert = 0 VALUES ${values}`,
  );
}

async function ttlDays(database: string): Promise<string | undefined> {
  const [row] = await clickhouse.rows<{ engine_full: string }>(
    `SELECT engine_full FROM system.tables WHERE database = '${database}' AND name = 'file_events'`,
  );
  return /toIntervalDay\((\d+)\)/.exec(row?.engine_full ?? '')?.[1];
}

describe('a shorter retention of the configuration', () => {
  it('leaves ClickHouse degraded and usable, with the rows that would go, until it is confirmed', async () => {
    await settled(create({ database: 'shorter' }));
    await insert('shorter', [1, 100, 200, 300]);
    await running.pop()?.stop();

    const logger = createRecordingLogger();
    const service = create({ database: 'shorter', retentionDays: 30 }, logger);
    const change = { table: 'file_events', currentDays: 400, configuredDays: 30, rows: 3 };
    expect(await settled(service)).toMatchObject({
      state: 'degraded',
      reason:
        'file_events keeps rows for 400 days; the configured 30 days would delete 3 rows. Run `gateway retention apply` to confirm, or set the retention back.',
      retention: [change],
      schemaVersion: 2,
    });
    expect(service.endpoint.current?.url).toBe(clickhouse.endpoint.url);
    expect((await service.summary()).types['file']?.events).toBe(4);
    expect(logger.lines).toContainEqual(
      expect.objectContaining({ level: 'warn', fields: expect.objectContaining(change) }),
    );

    await insert('shorter', [50]);
    expect(await service.waitingRetention()).toEqual([{ ...change, rows: 4 }]);
    expect(await service.applyRetention()).toEqual([{ ...change, rows: 4 }]);
    expect(service.status().state).toBe('ok');
    expect(service.status().retention).toBeUndefined();
    expect(await ttlDays('shorter')).toBe('30');
    await pollUntil(
      'the old rows to go',
      async () => (await service.summary()).types['file']?.events,
      (events) => events === 1,
    );
    expect(await service.waitingRetention()).toEqual([]);
    expect(logger.lines.filter(({ message }) => message.startsWith('No retention change'))).toHaveLength(1);
  });

  it('is forgotten when the setting goes back', async () => {
    await settled(create({ database: 'back' }));
    await insert('back', [1, 100]);
    const shorter = create({ database: 'back', retentionDays: 30 });
    expect((await settled(shorter)).state).toBe('degraded');
    expect((await settled(create({ database: 'back' }))).state).toBe('ok');
    expect(await ttlDays('back')).toBe('400');
  });

  it('gives way to a gateway with a longer one', async () => {
    const longer = create({ database: 'both' });
    await settled(longer);
    // Nothing would be deleted, so it is made at once.
    const shorter = create({ database: 'both', retentionDays: 30 });
    await settled(shorter);
    expect(await ttlDays('both')).toBe('30');
    // What each of them does when it looks, which it also does every few seconds.
    expect(await longer.waitingRetention()).toEqual([]);
    expect(await ttlDays('both')).toBe('400');
    expect(await shorter.waitingRetention()).toHaveLength(4);
    expect(shorter.status()).toMatchObject({
      state: 'degraded',
      reason: expect.stringContaining(
        'file_events keeps rows for 400 days; the configured 30 days would delete 0 rows.',
      ),
    });
    expect(longer.status().state).toBe('ok');
  });
});

describe('a ClickHouse that lacks what was migrated', () => {
  it('is migrated again when a question meets it, and sinks are told to try again', async () => {
    const logger = createRecordingLogger();
    const service = create({ database: 'gone' }, logger);
    await settled(service);
    const before = service.endpoint.current;
    const told: unknown[] = [];
    service.endpoint.subscribe((endpoint) => told.push(endpoint));
    for (const statement of ['DROP TABLE gone.file_events', 'DROP DATABASE gone']) {
      told.length = 0;
      await clickhouse.run(statement);
      await expect(service.summary()).rejects.toMatchObject({ code: 'CLICKHOUSE_UNAVAILABLE' });
      const began = Date.now();
      await pollUntil(
        'the sinks to be told',
        async () => told.length,
        (count) => count === 1,
      );
      // The question was the reason to look, not the next probe.
      expect(Date.now() - began).toBeLessThan(4_500);
      expect(told).toEqual([before]);
      expect(service.status().state).toBe('ok');
      expect((await service.summary()).types['file']?.events).toBe(0);
    }
    const lines = logger.lines.filter(({ message }) => message.includes('migrating again'));
    expect(lines.map(({ level }) => level)).toEqual(['warn', 'warn']);
  });

  it('is migrated again though nobody asks, and where only the database is another one', async () => {
    const service = create({ database: 'swapped' });
    await settled(service);
    // As a restored backup of an older version: every table is there, and a step is missing.
    await clickhouse.run('ALTER TABLE swapped.dead_letters DROP INDEX ix_id');
    await clickhouse.run('ALTER TABLE swapped.dead_letters DROP COLUMN id');
    await clickhouse.run('CREATE TABLE swapped.other AS swapped.schema_migrations');
    await clickhouse.run(
      'INSERT INTO swapped.other SELECT * FROM swapped.schema_migrations WHERE version = 1',
    );
    await clickhouse.run('EXCHANGE TABLES swapped.other AND swapped.schema_migrations');
    await clickhouse.run('DROP TABLE swapped.other');
    await pollUntil(
      'the missing step',
      () =>
        clickhouse.rows(
          "SELECT 1 FROM system.columns WHERE database = 'swapped' AND table = 'dead_letters' AND name = 'id'",
        ),
      (rows) => rows.length === 1,
    );
  });

  it('is migrated when it is another server at the same address', async () => {
    const [first, second] = await Promise.all(
      ['first-', 'second-'].map((name) => mkdtemp(join(tmpdir(), `gateway-${name}`))),
    );
    await Promise.all([openToAll(first!), openToAll(second!)]);
    let server = await startEmbeddedServer({ directory: first!, port: 0, database: 'activity' });
    const { port, url } = server;
    try {
      const service = create({ url });
      await settled(service);
      let told = 0;
      service.endpoint.subscribe(() => (told += 1));
      await server.stop();
      server = await startEmbeddedServer({ directory: second!, port, database: 'activity' });
      await pollUntil(
        'the new server to be migrated',
        () => service.summary().catch(() => undefined),
        (summary) => summary?.types['file']?.events === 0,
      );
      await untilStatus(service, ({ state }) => state === 'ok');
      expect(told).toBe(1);
    } finally {
      await server.stop();
      await Promise.all([first!, second!].map((path) => rm(path, { recursive: true, force: true })));
    }
  });
});
