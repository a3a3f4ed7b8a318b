import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { deadLetters, defineEventType, type EventType } from '@activity-gateway/pipeline/api';
import {
  shippedEventTypes,
  silentLogger,
  startTestClickHouse,
  type TestClickHouse,
} from '../../../../../test/support/clickhouse.js';
import { migrate, migrations } from './index.js';
import type { Migration } from './migration.js';

let clickhouse: TestClickHouse;
beforeAll(async () => {
  clickhouse = await startTestClickHouse();
}, 60_000);
afterAll(() => clickhouse.stop());

/** A start of a gateway whose plugins have these event types. */
async function start(
  database: string,
  eventTypes: readonly EventType[],
  steps: readonly Migration[] = migrations,
): Promise<void> {
  const { client } = clickhouse;
  const retention = { retentionDays: 400, deadLetterRetentionDays: 90 };
  await migrate({ client, logger: silentLogger, migrations: steps, database, eventTypes, ...retention });
}

/** The statement that would make a table as it is, without its database. */
async function definition(database: string, table: string): Promise<string> {
  const [row] = await clickhouse.rows<{ query: string }>(
    `SELECT create_table_query AS query FROM system.tables WHERE database = '${database}' AND name = '${table}'`,
  );
  return (row?.query ?? '').replace(`${database}.`, '');
}

/** The columns of a table in their order, with everything that ClickHouse says of them but their sizes. */
function columns(database: string, table: string): Promise<Record<string, unknown>[]> {
  return clickhouse.rows(
    `SELECT name, type, position, default_kind, default_expression, compression_codec FROM system.columns
     WHERE database = '${database}' AND table = '${table}' ORDER BY position`,
  );
}

const doors = defineEventType({
  name: 'door_events',
  fields: {
    event_time: { kind: 'time' },
    host: { kind: 'keyword' },
    user_name: { kind: 'text' },
    client_ip: { kind: 'ip', nullable: true },
    'locks.id': { kind: 'text[]' },
    extra: { kind: 'text' },
  },
  storage: { orderBy: ['host'], indexes: { user_name: 'value' } },
});

describe('the declaration of an event type', () => {
  it.each(shippedEventTypes.map((type) => [type.name, type] as const))(
    'makes the table %s that the first versions of the gateway have made',
    async (name, type) => {
      const [before, now] = [`before_${name}`, `now_${name}`];
      await start(before, []);
      await start(now, [type], []);
      expect(await definition(before, name)).toMatch(/^CREATE TABLE .*TTL.*SETTINGS/s);
      expect(await definition(now, name)).toBe(await definition(before, name));
    },
  );
});

/** As version 0.1.0 has recorded its steps. */
const CHECKSUMS = [
  '9d0c5b453a985fd46f748d6598090d059eb491b6032967c3da9dc9036754aa6f',
  '1014e0673c77d3ab1b694f077020f14ef33501a0f45630b8c4679864edacf39e',
];

describe('a database of an earlier version', () => {
  it('keeps every column of every table, and its steps are known', async () => {
    await start('earlier', [], migrations.slice(0, 2));
    const tables = [...shippedEventTypes, deadLetters].map(({ name }) => name);
    const read = (): Promise<Record<string, unknown>[][]> =>
      Promise.all(tables.map((table) => columns('earlier', table)));
    expect(
      await clickhouse.rows('SELECT version, name, checksum FROM earlier.schema_migrations ORDER BY version'),
    ).toEqual([
      { version: 1, name: 'activity_tables', checksum: CHECKSUMS[0] },
      { version: 2, name: 'dead_letter_ids', checksum: CHECKSUMS[1] },
    ]);
    const before = await read();
    await start('earlier', shippedEventTypes);
    const after = await read();
    for (const [index, known] of before.entries()) {
      expect(known.length).toBeGreaterThan(10);
      expect(after[index]?.slice(0, known.length)).toEqual(known);
    }
    for (const { name } of shippedEventTypes) {
      expect(await columns('earlier', name)).toHaveLength(before[tables.indexOf(name)]?.length ?? -1);
    }
  });
});

describe('an event type of a plugin from elsewhere', () => {
  it('gets a table with its sort key, indexes, retention and deduplication', async () => {
    await start('doors', [...shippedEventTypes, doors]);
    const made = await definition('doors', 'door_events');
    expect(made).toContain('ORDER BY (toStartOfHour(event_time), host, event_time)');
    expect(made).toContain('INDEX ix_user_name user_name TYPE bloom_filter(0.01) GRANULARITY 4');
    expect(made).toContain('TTL toDateTime(event_time) + toIntervalDay(400)');
    expect(made).toContain('non_replicated_deduplication_window = 10000');
    const names = (await columns('doors', 'door_events')).map(({ name }) => name);
    expect(names).toEqual([
      ...Object.keys(doors.fields),
      ...['received_at', 'agent_spki', 'agent_host', 'source_ip', 'ingest_batch'],
    ]);
  });

  it('gets the columns that a later version of the plugin adds, and loses and changes none', async () => {
    await start('later', [doors]);
    await clickhouse.run(
      "INSERT INTO later.door_events (event_time, host, locks.id) SETTINGS async_insert = 0 VALUES (now(), 'D1', ['a', 'b'])",
    );
    const before = await columns('later', 'door_events');
    const { client_ip: _dropped, ...kept } = doors.fields;
    const later = defineEventType({
      name: 'door_events',
      fields: { ...kept, host: { kind: 'text' }, badge: { kind: 'text' }, 'locks.open': { kind: 'bool[]' } },
      storage: { orderBy: ['host'], indexes: { badge: 'value' } },
    });
    await Promise.all([start('later', [later]), start('later', [later])]);
    const after = await columns('later', 'door_events');
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.slice(before.length).map(({ name, type }) => [name, type])).toEqual([
      ['badge', 'String'],
      ['locks.open', 'Array(Bool)'],
    ]);
    expect(await definition('later', 'door_events')).toContain('INDEX ix_badge badge');
    const rows =
      'SELECT host, badge, length(locks.id) AS locks, length(locks.open) AS open FROM later.door_events';
    expect(await clickhouse.rows(rows)).toEqual([{ host: 'D1', badge: '', locks: 2, open: 2 }]);
  });

  it('leaves a view alone that an operator put in the place of a table', async () => {
    await start('viewed', []);
    await clickhouse.run('CREATE VIEW viewed.door_events AS SELECT 1 AS event_time');
    await start('viewed', [doors]);
    expect(await columns('viewed', 'door_events')).toHaveLength(1);
  });
});
