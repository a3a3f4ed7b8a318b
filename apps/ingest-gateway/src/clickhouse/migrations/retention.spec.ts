import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRecordingLogger } from '@activity-gateway/pipeline/testing';
import {
  createTestClient,
  shippedEventTypes,
  startTestClickHouse,
  type TestClickHouse,
} from '../../../../../test/support/clickhouse.js';
import { pollUntil } from '../../../../../test/support/poll.js';
import type { WaitingRetention } from '../types.js';
import { PAUSED_COMMENT } from './change-ttl.js';
import { migrate, migrations } from './index.js';
import { applyRetention, type RetentionMode, type RetentionOutcome } from './retention.js';
import type { RetentionOptions } from './table-retention.js';

let clickhouse: TestClickHouse;
beforeAll(async () => {
  clickhouse = await startTestClickHouse();
}, 60_000);
afterAll(() => clickhouse.stop());

function options(database: string, retentionDays: number, deadLetterRetentionDays = 90): RetentionOptions {
  return {
    client: clickhouse.client,
    logger: createRecordingLogger(),
    database,
    eventTypes: shippedEventTypes,
    retentionDays,
    deadLetterRetentionDays,
  };
}

/** A start of a gateway with these retentions. @returns what waits */
async function start(database: string, days: number, deadLetterDays = 90): Promise<WaitingRetention[]> {
  const waiting: WaitingRetention[] = [];
  const onRetention = (found: readonly WaitingRetention[]): void => void waiting.push(...found);
  await migrate({ ...options(database, days, deadLetterDays), migrations, onRetention });
  return waiting;
}

function apply(
  database: string,
  days: number,
  mode: RetentionMode,
  deadLetterDays = 90,
): Promise<RetentionOutcome> {
  return applyRetention(options(database, days, deadLetterDays), mode);
}

/** The TTL of a table; empty without one. */
async function ttl(database: string, table: string): Promise<string> {
  const [row] = await clickhouse.rows<{ engine_full: string }>(
    `SELECT engine_full FROM system.tables WHERE database = '${database}' AND name = '${table}'`,
  );
  return /TTL (.*?) SETTINGS/.exec(row?.engine_full ?? '')?.[1] ?? '';
}
const ofDays = (days: number, column = 'event_time'): string =>
  `toDateTime(${column}) + toIntervalDay(${days})`;

/** Stores rows of these ages. */
function insert(table: string, column: string, ages: readonly string[]): Promise<void> {
  const values = ages.map((age) => `(now64(3) - INTERVAL ${age})`).join(', ');
  return clickhouse.run(`INSERT INTO ${table} (${column}) SETTINGS async_insert = 0 VALUES ${values}`);
}

async function count(table: string): Promise<number> {
  const [row] = await clickhouse.rows<{ rows: number }>(`SELECT count() AS rows FROM ${table}`);
  return row?.rows ?? -1;
}

/** Lets background work that is allowed to delete do so. */
async function settle(database: string): Promise<void> {
  await pollUntil(
    'the recalculation to end',
    () => clickhouse.rows(`SELECT 1 FROM system.mutations WHERE database = '${database}' AND NOT is_done`),
    (open) => open.length === 0,
  );
}

describe('a retention that means keep', () => {
  it.each([0, 18_251, 36_500])('gives new tables no TTL, and so does one of %d days', async (days) => {
    const database = `keep_${days}`;
    expect(await start(database, days, days)).toEqual([]);
    expect(await ttl(database, 'file_events')).toBe('');
    expect(await ttl(database, 'dead_letters')).toBe('');
    await insert(`${database}.file_events`, 'event_time', ['0 DAY', '9000 DAY']);
    await clickhouse.run(`OPTIMIZE TABLE ${database}.file_events FINAL`);
    expect(await count(`${database}.file_events`)).toBe(2);
  });

  it('is the longest one that a DateTime holds up to 18250 days', async () => {
    await start('longest', 18_250);
    await insert('longest.file_events', 'event_time', ['0 DAY']);
    await clickhouse.run('OPTIMIZE TABLE longest.file_events FINAL');
    expect(await count('longest.file_events')).toBe(1);
  });
});

describe('a TTL of an earlier version that wraps', () => {
  const wrapped = async (database: string): Promise<void> => {
    await start(database, 0);
    await clickhouse.run(`SYSTEM STOP TTL MERGES ${database}.file_events`);
    await clickhouse.run(`ALTER TABLE ${database}.file_events MODIFY TTL ${ofDays(36_500)}`);
    await insert(`${database}.file_events`, 'event_time', ['0 DAY', '100 DAY', '200 DAY', '300 DAY']);
  };

  it('is removed at the start, and what it has not deleted yet stays', async () => {
    await wrapped('wraps');
    expect(await start('wraps', 36_500)).toEqual([]);
    expect(await ttl('wraps', 'file_events')).toBe('');
    await clickhouse.run('SYSTEM START TTL MERGES wraps.file_events');
    await clickhouse.run('OPTIMIZE TABLE wraps.file_events FINAL');
    expect(await count('wraps.file_events')).toBe(4);
  });

  it('leaves no trace in old parts by which a later retention would delete them', async () => {
    await wrapped('traces');
    await insert(
      'traces.file_events',
      'event_time',
      Array.from({ length: 60 }, (_, day) => `${day} DAY`),
    );
    await clickhouse.run(
      `INSERT INTO traces.file_events (event_time, path) SETTINGS async_insert = 0
       SELECT now64(3) - toIntervalDay(number % 390), toString(cityHash64(number)) FROM numbers(500000)`,
    );
    const rows = await count('traces.file_events');
    expect(await start('traces', 36_500)).toEqual([]);
    await clickhouse.run('SYSTEM START TTL MERGES traces.file_events');
    expect(await start('traces', 400)).toEqual([]);
    expect(await ttl('traces', 'file_events')).toBe(ofDays(400));
    await settle('traces');
    await clickhouse.run('OPTIMIZE TABLE traces.file_events FINAL');
    expect(await count('traces.file_events')).toBe(rows);
    // Deleting goes on afterwards.
    await insert('traces.file_events', 'event_time', ['500 DAY']);
    await pollUntil(
      'the expired row to go',
      async () => {
        await clickhouse.run('OPTIMIZE TABLE traces.file_events FINAL');
        return count('traces.file_events');
      },
      (left) => left === rows,
    );
  });

  it('is dealt with by the rights that the gateway has in its own ClickHouse', async () => {
    await wrapped('activity');
    const client = createTestClient(clickhouse.endpoint);
    const logger = createRecordingLogger();
    const own = (days: number): Promise<RetentionOutcome> =>
      applyRetention({ ...options('activity', days), client, logger });
    expect((await own(0)).waiting).toEqual([]);
    const made = (await own(400)).made.map(({ table }) => table);
    expect(made).toContain('file_events');
    await settle('activity');
    expect(logger.lines.filter(({ level }) => level !== 'info')).toEqual([
      expect.objectContaining({ message: 'Removed a TTL that was too long and deleted rows at once' }),
    ]);
    await clickhouse.run('OPTIMIZE TABLE activity.file_events FINAL');
    expect(await count('activity.file_events')).toBe(4);
    await client.close();
  });

  it('keeps a later retention waiting where the gateway may not protect those parts', async () => {
    await wrapped('refused');
    await start('refused', 36_500);
    const denied = new Proxy(clickhouse.client, {
      get(client, name) {
        if (name === 'query') return client.query.bind(client);
        return async (params: Parameters<typeof client.command>[0]) => {
          if (params.query.startsWith('SYSTEM STOP')) throw new Error('Not enough privileges');
          return client.command(params);
        };
      },
    });
    const restricted = { ...options('refused', 400), client: denied };
    const change = { table: 'file_events', currentDays: 0, configuredDays: 400, rows: 0 };
    expect((await applyRetention(restricted)).waiting).toEqual([change]);
    await expect(applyRetention(restricted, 'confirmed')).rejects.toMatchObject({ code: 'RETENTION_UNSAFE' });
    expect(await ttl('refused', 'file_events')).toBe('');
    expect(await count('refused.file_events')).toBe(4);
  });

  it('protects its rows again where the gateway ended before the recalculation did', async () => {
    const database = 'interrupted';
    const table = `${database}.file_events`;
    await wrapped(database);
    await start(database, 36_500);
    // Nothing is recalculated while merges are stopped, so the first gateway ends in the middle.
    await clickhouse.run(`SYSTEM STOP MERGES ${table}`);
    const first = new AbortController();
    expect(await applyRetention({ ...options(database, 400), signal: first.signal })).toMatchObject({
      waiting: [],
    });
    first.abort();
    const comment = async (): Promise<unknown> =>
      (
        await clickhouse.rows(
          `SELECT comment FROM system.tables WHERE database = '${database}' AND comment != ''`,
        )
      )[0];
    expect(await comment()).toEqual({ comment: PAUSED_COMMENT });
    // As a restart of ClickHouse does.
    await clickhouse.run(`SYSTEM START TTL MERGES ${table}`);
    expect(await start(database, 400)).toEqual([]);
    await clickhouse.run(`SYSTEM START MERGES ${table}`);
    await pollUntil('the end of the recalculation', async () => (await comment()) === undefined);
    await clickhouse.run(`OPTIMIZE TABLE ${table} FINAL`);
    expect(await count(table)).toBe(4);
    await insert(table, 'event_time', ['500 DAY']);
    await pollUntil(
      'the expired row to go',
      async () => {
        await clickhouse.run(`OPTIMIZE TABLE ${table} FINAL`);
        return count(table);
      },
      (left) => left === 4,
    );
  });

  it('is removed also where the shorter retention in its place has to wait', async () => {
    await wrapped('waits');
    expect(await start('waits', 150)).toEqual([
      { table: 'file_events', currentDays: 0, configuredDays: 150, rows: 2 },
    ]);
    expect(await ttl('waits', 'file_events')).toBe('');
  });
});

describe('a shorter retention', () => {
  it('waits where it would delete rows, by table, and is made where it deletes none', async () => {
    await start('shorter', 400, 90);
    // On both sides of the bound, a minute away from it; and what the present retention deletes anyway.
    await insert('shorter.file_events', 'event_time', ['1 DAY', '43199 MINUTE', '43201 MINUTE', '399 DAY']);
    await clickhouse.run('SYSTEM STOP TTL MERGES shorter.leef_events');
    await insert('shorter.leef_events', 'event_time', ['1 DAY', '401 DAY']);
    await insert('shorter.dead_letters', 'received_at', ['1 DAY', '8 DAY', '9 DAY', '10 DAY']);
    expect(await start('shorter', 30, 7)).toEqual([
      { table: 'file_events', currentDays: 400, configuredDays: 30, rows: 2 },
      { table: 'dead_letters', currentDays: 90, configuredDays: 7, rows: 3 },
    ]);
    expect(await ttl('shorter', 'file_events')).toBe(ofDays(400));
    expect(await ttl('shorter', 'dead_letters')).toBe(ofDays(90, 'received_at'));
    expect(await ttl('shorter', 'leef_events')).toBe(ofDays(30));
    expect(await ttl('shorter', 'copilot_events')).toBe(ofDays(30));
    await settle('shorter');
    expect(await count('shorter.file_events')).toBe(4);
    expect(await count('shorter.dead_letters')).toBe(4);
  });

  it('is made when it is confirmed, and deletes what it said', async () => {
    await start('confirmed', 400);
    await insert('confirmed.file_events', 'event_time', ['1 DAY', '100 DAY', '200 DAY']);
    expect(await start('confirmed', 30)).toHaveLength(1);
    const { waiting, made } = await apply('confirmed', 30, 'confirmed');
    expect(waiting).toEqual([]);
    expect(made).toEqual([{ table: 'file_events', currentDays: 400, configuredDays: 30, rows: 2 }]);
    await pollUntil(
      'the old rows to go',
      () => count('confirmed.file_events'),
      (rows) => rows === 1,
    );
    expect(await apply('confirmed', 30, 'confirmed')).toEqual({ waiting: [], made: [], missing: [] });
  });

  it('is not made while a gateway only watches, though it deletes nothing: another may want the longer one', async () => {
    await start('others', 400);
    const { waiting, made } = await apply('others', 30, 'watch');
    expect(made).toEqual([]);
    expect(waiting.map(({ table, rows }) => [table, rows])).toContainEqual(['file_events', 0]);
    expect(await ttl('others', 'file_events')).toBe(ofDays(400));
  });

  it('waits where the table has kept everything', async () => {
    await start('kept', 0);
    await insert('kept.file_events', 'event_time', ['1 DAY', '5000 DAY']);
    expect(await start('kept', 400)).toEqual([
      { table: 'file_events', currentDays: 0, configuredDays: 400, rows: 1 },
    ]);
    expect(await count('kept.file_events')).toBe(2);
  });

  it('waits where a TTL is not the one of a gateway', async () => {
    await start('own', 400);
    const own = "toDateTime(event_time) + toIntervalDay(10) DELETE WHERE operation = 'Read'";
    await clickhouse.run(`ALTER TABLE own.file_events MODIFY TTL ${own}`);
    await insert('own.file_events', 'event_time', ['500 DAY']);
    expect(await start('own', 400)).toEqual([
      { table: 'file_events', currentDays: null, configuredDays: 400, rows: 1 },
    ]);
    expect(await ttl('own', 'file_events')).toContain('WHERE');
  });
});

describe('a longer retention', () => {
  it.each([
    [90, ofDays(90)],
    [0, ''],
  ])('of %d days is made at once, also while a gateway only watches', async (days, wanted) => {
    const database = `longer_${days}`;
    await start(database, 30);
    await insert(`${database}.file_events`, 'event_time', ['1 DAY', '29 DAY']);
    const { waiting, made } = await apply(database, days, 'watch');
    expect(waiting).toEqual([]);
    expect(made).toContainEqual({ table: 'file_events', currentDays: 30, configuredDays: days, rows: 0 });
    expect(await ttl(database, 'file_events')).toBe(wanted);
    await settle(database);
    expect(await count(`${database}.file_events`)).toBe(2);
  });
});
