import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  silentLogger,
  shippedEventTypes,
  startTestClickHouse,
  type TestClickHouse,
} from '../../../../../test/support/clickhouse.js';
import { pollUntil } from '../../../../../test/support/poll.js';
import { migrate, migrations } from './index.js';
import type { Migration } from './migration.js';
import { retentionChange } from './retention.js';

let clickhouse: TestClickHouse;
beforeAll(async () => {
  clickhouse = await startTestClickHouse();
}, 60_000);
afterAll(() => clickhouse.stop());

function run(
  database: string,
  steps: readonly Migration[] = migrations,
  retentionDays = 400,
): Promise<number> {
  const { client } = clickhouse;
  return migrate({
    client,
    logger: silentLogger,
    migrations: steps,
    database,
    eventTypes: shippedEventTypes,
    retentionDays,
    deadLetterRetentionDays: 60,
  });
}

async function engine(database: string, table: string): Promise<string> {
  const [row] = await clickhouse.rows<{ engine_full: string }>(
    `SELECT engine_full FROM system.tables WHERE database = '${database}' AND name = '${table}'`,
  );
  return row?.engine_full ?? '';
}

const newest = migrations.length;
const another: Migration = {
  version: newest + 1,
  name: 'another',
  statements: ({ database }) => [`ALTER TABLE ${database}.file_events ADD COLUMN IF NOT EXISTS later String`],
};

describe('migrate', () => {
  it.each([
    ['file_events', 400],
    ['sharepoint_events', 400],
    ['copilot_events', 400],
    ['leef_events', 400],
    ['dead_letters', 90],
  ])('makes a table %s that recognises repeated inserts and drops whole parts', async (table, days) => {
    expect(await engine('activity', table)).toMatch(
      new RegExp(
        `^MergeTree PARTITION BY toYYYYMM\\(\\w+\\) ORDER BY .* TTL toDateTime\\(\\w+\\) \\+ toIntervalDay\\(${days}\\) SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1`,
      ),
    );
  });

  it('refuses a schema that is newer than the program, says what to do, and changes nothing', async () => {
    await run('newer', [...migrations, another]);
    await clickhouse.client.command({ query: 'DROP TABLE newer.leef_events' });
    await expect(run('newer')).rejects.toMatchObject({
      code: 'CLICKHOUSE_SCHEMA_NEWER',
      message: expect.stringContaining(`newer has schema version ${newest + 1}`),
      hint: expect.stringMatching(/newer version.*backup/),
    });
    expect(await engine('newer', 'leef_events')).toBe('');
  });

  it('records each step once, and applies only what is new', async () => {
    expect(await run('steps')).toBe(newest);
    expect(await run('steps', [...migrations, another])).toBe(newest + 1);
    expect(await run('steps', [...migrations, another])).toBe(newest + 1);
    const rows = await clickhouse.rows('SELECT version, name FROM steps.schema_migrations ORDER BY version');
    expect(rows).toEqual([
      { version: 1, name: 'activity_tables' },
      { version: 2, name: 'dead_letter_ids' },
      { version: newest + 1, name: 'another' },
    ]);
  });

  it('goes on after a crash half-way', async () => {
    const half: Migration = {
      ...migrations[0]!,
      statements: (context) => [...migrations[0]!.statements(context).slice(0, 3), 'SELECT throwIf(1)'],
    };
    await expect(run('half', [half])).rejects.toThrow();
    expect(await run('half')).toBe(newest);
    expect(await clickhouse.rows("SELECT 1 FROM system.tables WHERE database = 'half'")).toHaveLength(6);
  });

  it('can be run by several at once', async () => {
    const versions = await Promise.all([1, 2, 3].map(() => run('together', [...migrations, another])));
    expect(versions).toEqual([1, 2, 3].map(() => newest + 1));
  });

  it('refuses a step that was applied in another form', async () => {
    await run('changed', [...migrations, another]);
    const other = { ...another, statements: () => ['SELECT 2'] };
    await expect(run('changed', [...migrations, other])).rejects.toMatchObject({
      code: 'CLICKHOUSE_MIGRATION_CHANGED',
      message: expect.stringContaining(`Step ${newest + 1} (another)`),
    });
  });

  it('makes tables that are gone again, although their steps are recorded', async () => {
    await run('dropped');
    await clickhouse.run('DROP TABLE dropped.dead_letters');
    await clickhouse.run('DROP TABLE dropped.leef_events');
    expect(await run('dropped')).toBe(newest);
    const columns = "SELECT 1 FROM system.columns WHERE database = 'dropped' AND table = 'dead_letters'";
    expect(await clickhouse.rows(`${columns} AND name IN ('id', 'destination')`)).toHaveLength(2);
    expect(await engine('dropped', 'leef_events')).toContain('toIntervalDay(400)');
    expect(await clickhouse.rows('SELECT version FROM dropped.schema_migrations')).toHaveLength(newest);
  });

  it('gives dead letters of an older version ids that stay', async () => {
    await run('older', migrations.slice(0, 1));
    await clickhouse.run(
      "INSERT INTO older.dead_letters (received_at, code) SETTINGS async_insert = 0 SELECT now64(3), 'old' FROM numbers(3)",
    );
    await run('older');
    const ids = (): Promise<unknown[]> => clickhouse.rows('SELECT id FROM older.dead_letters ORDER BY id');
    await pollUntil(
      'the ids to be written',
      () => clickhouse.rows("SELECT 1 FROM system.mutations WHERE database = 'older' AND NOT is_done"),
      (open) => open.length === 0,
    );
    const first = await ids();
    expect(new Set(first.map((row) => JSON.stringify(row))).size).toBe(3);
    expect(await ids()).toEqual(first);
  });

  it('takes a database name of any form', async () => {
    const database = 'odd `name\\ "x"';
    expect(await run(database)).toBe(newest);
  });
});

describe('retentionChange', () => {
  const engineWith = (ttl: string): string => `MergeTree ORDER BY x ${ttl}SETTINGS index_granularity = 8192`;

  it.each([
    ['TTL toDateTime(t) + toIntervalDay(400) ', 400, undefined],
    ['TTL toDateTime(t) + toIntervalDay(400) ', 30, 'MODIFY TTL toDateTime(t) + toIntervalDay(30)'],
    ['', 30, 'MODIFY TTL toDateTime(t) + toIntervalDay(30)'],
    ['TTL toDateTime(t) + toIntervalDay(400) ', 0, 'REMOVE TTL'],
    ['TTL toDateTime(t) + toIntervalDay(36500) ', 36_500, 'REMOVE TTL'],
    ['TTL toDateTime(t) + toIntervalDay(400) ', 18_250, 'MODIFY TTL toDateTime(t) + toIntervalDay(18250)'],
    ['', 0, undefined],
    ['', 18_251, undefined],
  ])('%j, %d days', (ttl, days, clause) => {
    expect(retentionChange(engineWith(ttl), 't', days)).toBe(clause);
  });
});
