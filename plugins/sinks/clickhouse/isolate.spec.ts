import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  deadLetters,
  defineEventType,
  type EncodedEntry,
  type EventRecord,
  PartialWriteError,
  type Sink,
} from '@activity-gateway/pipeline/api';
import { encodeBatch } from '@activity-gateway/pipeline/helpers';
import {
  createTestContext,
  sampleBatch,
  sampleRecord,
  TEST_ORIGIN,
} from '@activity-gateway/pipeline/testing';
import { startTestClickHouse, type TestClickHouse } from '../../../test/support/clickhouse.js';
import { type HostReport, recoverAsHost, storeAsHost } from '../../../test/support/recover-as-host.js';
import { clickhouseSink } from './index.js';

const type = defineEventType({
  name: 'things',
  fields: {
    event_time: { kind: 'time' },
    name: { kind: 'keyword' },
    size: { kind: 'uint64' },
    'parts.id': { kind: 'text[]' },
  },
});
const COLUMNS = `event_time DateTime64(3, 'UTC'), name LowCardinality(String), size UInt64, parts Nested(id String),
  received_at DateTime64(3, 'UTC'), agent_spki LowCardinality(String), agent_host LowCardinality(String), source_ip IPv6, ingest_batch String`;
const DAY = 86_400_000;

let clickhouse: TestClickHouse;
let sink: Sink;
const signal = new AbortController().signal;
beforeAll(async () => {
  clickhouse = await startTestClickHouse();
}, 60_000);
afterAll(() => clickhouse.stop());
beforeEach(async () => {
  sink = createSink();
  await clickhouse.run('DROP TABLE IF EXISTS things SYNC');
  await clickhouse.run('TRUNCATE TABLE dead_letters');
});
afterEach(() => sink.stop?.(0));

/** Another one knows nothing of what the first has begun, as after a crash. */
function createSink(): Sink {
  const context = createTestContext({ id: 'activity/clickhouse', eventTypes: [type, deadLetters] });
  context.services.endpoints.set(new Map([['clickhouse', clickhouse.endpoint]]));
  return clickhouseSink.create(
    { endpoint: 'clickhouse', compression: false, request_timeout: '30s' },
    context,
  );
}

async function createTable(columns = COLUMNS, more = ''): Promise<void> {
  await clickhouse.run(
    `CREATE TABLE things (${columns}) ENGINE = MergeTree ${more} ORDER BY event_time SETTINGS non_replicated_deduplication_window = 1000`,
  );
}

/** Entries of 100 rows, `size` counting over all of them. */
function entries(
  rows: number,
  change: (record: EventRecord, row: number) => void = () => undefined,
): EncodedEntry[] {
  return Array.from({ length: Math.ceil(rows / 100) }, (_, entry) => {
    const records = Array.from({ length: Math.min(100, rows - entry * 100) }, (_row, index) => {
      const row = entry * 100 + index;
      const record: EventRecord = {
        event_time: Date.UTC(2026, 10, 20) + row,
        name: `name ${row % 5}`,
        size: row,
        'parts.id': [`p${row}`],
      };
      change(record, row);
      return record;
    });
    return encodeBatch(sink, sampleBatch(type, records), `g/0001/${String(entry).padStart(12, '0')}`);
  });
}

const store = (batch: readonly EncodedEntry[], token: string, by = sink): Promise<HostReport | undefined> =>
  storeAsHost(by, batch, token, [type]);

async function stored(): Promise<{ rows: number; sizes: number }> {
  const [row] = await clickhouse.rows<{ rows: number; sizes: number }>(
    'SELECT count() AS rows, uniqExact(size) AS sizes FROM things',
  );
  return row!;
}

interface Letter {
  readonly code: string;
  readonly field: string;
  readonly message: string;
  readonly raw: string;
  readonly [column: string]: unknown;
}
const letters = (): Promise<Letter[]> => clickhouse.rows<Letter>('SELECT * FROM dead_letters ORDER BY raw');
const sizesOf = (found: readonly Letter[]): number[] =>
  found.map(({ raw }) => (JSON.parse(raw) as { size: number }).size).sort((a, b) => a - b);

describe('a bad row among 10,000', () => {
  it('goes to the dead letters with code, column, agent and the row, when its number is named', async () => {
    await createTable(`${COLUMNS}, CONSTRAINT small CHECK size != 9551`);
    const batch = entries(10_000);
    const report = await store(batch, 'T');
    expect([...report!.deadLettered]).toEqual([['violated_constraint', 1]]);
    expect(await stored()).toEqual({ rows: 9_999, sizes: 9_999 });
    expect(await letters()).toEqual([
      expect.objectContaining({
        pipeline: 'activity',
        stage: 'sink',
        code: 'violated_constraint',
        field: '/size',
        message: 'ClickHouse refused the row: 469 VIOLATED_CONSTRAINT, column size, constraint small.',
        raw_encoding: 'row',
        destination: 'things',
        event_type: 'things',
        agent_spki: 'cd'.repeat(32),
        agent_host: 'höst-2',
        received_at: '2026-11-20 12:00:00.001',
        source_ip: '2001:db8::7',
        replayed_at: null,
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      }),
    ]);
    const [letter] = await letters();
    expect(JSON.parse(letter!.raw)).toMatchObject({
      event_time: '2026-11-20T00:00:09.551Z',
      name: 'name 1',
      size: 9_551,
      'parts.id': ['p9551'],
      agent_host: 'höst-2',
      ingest_batch: 'g/0001/000000000095',
    });
  });

  it('is found by halving when ClickHouse names no row', async () => {
    await createTable(COLUMNS.replace('name LowCardinality(String)', "name Enum8('a' = 1, 'b' = 2)"));
    const batch = entries(10_000, (record, row) => (record['name'] = row === 4_321 ? 'c' : 'a'));
    const report = await store(batch, 'T');
    expect([...report!.deadLettered]).toEqual([['unknown_element_of_enum', 1]]);
    expect(await stored()).toEqual({ rows: 9_999, sizes: 9_999 });
    const found = await letters();
    expect(sizesOf(found)).toEqual([4_321]);
    expect(found[0]).toMatchObject({ field: '/name', agent_spki: TEST_ORIGIN.sender });
  });

  it('is found when the column has become too small, which ClickHouse would cut off silently', async () => {
    await createTable(COLUMNS.replace('size UInt64', 'size UInt8'));
    const batch = entries(300);
    const report = await store(batch, 'T');
    expect([...report!.deadLettered]).toEqual([['cannot_convert_type', 44]]);
    expect(await stored()).toEqual({ rows: 256, sizes: 256 });
    const found = await letters();
    expect(sizesOf(found)).toEqual(Array.from({ length: 44 }, (_, index) => 256 + index));
    expect(new Set(found.map(({ field }) => field))).toEqual(new Set(['/size']));
  });
});

describe('many bad rows', () => {
  it.each([
    ['every third of them', (row: number) => row % 3 === 0],
    ['all of them', () => true],
    ['the first and the last', (row: number) => row === 0 || row === 299],
  ])(
    '%s',
    async (_, isBad) => {
      await createTable(`${COLUMNS}, CONSTRAINT fine CHECK name != 'bad'`);
      const batch = entries(300, (record, row) => {
        if (isBad(row)) record['name'] = 'bad';
      });
      const bad = Array.from({ length: 300 }, (_row, row) => row).filter(isBad);
      await store(batch, 'T');
      expect(await stored()).toEqual({ rows: 300 - bad.length, sizes: 300 - bad.length });
      expect(sizesOf(await letters())).toEqual(bad);
    },
    60_000,
  );

  it('of two kinds', async () => {
    await createTable(
      `${COLUMNS.replace('name LowCardinality(String)', "name Enum8('a' = 1)")}, CONSTRAINT small CHECK size != 10`,
    );
    const batch = entries(200, (record, row) => (record['name'] = row === 150 ? 'x' : 'a'));
    const report = await store(batch, 'T');
    expect(report!.deadLettered).toEqual(
      new Map([
        ['violated_constraint', 1],
        ['unknown_element_of_enum', 1],
      ]),
    );
    expect(sizesOf(await letters())).toEqual([10, 150]);
  });
});

describe('a repetition', () => {
  it('by another process stores nothing twice', async () => {
    await createTable(`${COLUMNS}, CONSTRAINT odd CHECK size % 100 != 50`);
    const batch = entries(1_000);
    const refusal = await sink
      .write(batch, 'T', signal)
      .catch((error: unknown) => error as PartialWriteError);
    // The first process ends before its host has committed the batch.
    const first = await sink.recover!(
      batch,
      'T',
      { refusal: refusal as PartialWriteError, uncertain: false },
      signal,
    );
    const other = createSink();
    expect(await other.recover!(batch, 'T', { uncertain: true }, signal)).toEqual({
      found: Array.from({ length: 10 }, () => 99),
      rejected: first.rejected,
    });
    await other.stop?.(0);
    expect(first.rejected).toHaveLength(10);
    expect(await stored()).toEqual({ rows: 990, sizes: 990 });
    expect(await letters()).toEqual([]);
  });

  it('under other tokens would store rows twice (negative control)', async () => {
    await createTable(`${COLUMNS}, CONSTRAINT odd CHECK size != 50`);
    const batch = entries(100).map(({ id: _id, ...entry }) => entry);
    await store(batch, 'T');
    const other = createSink();
    await store(batch, 'another token', other);
    await other.stop?.(0);
    expect(await stored()).toEqual({ rows: 198, sizes: 99 });
  });
});

describe('what is in the way of isolation', () => {
  it('a table of dead letters that is not there: it goes on when it is', async () => {
    await createTable(`${COLUMNS}, CONSTRAINT odd CHECK size != 50`);
    const batch = entries(100);
    const refusal = await sink
      .write(batch, 'T', signal)
      .catch((error: unknown) => error as PartialWriteError);
    const why = { refusal: refusal as PartialWriteError, uncertain: false };
    const isolate = (): Promise<HostReport> => recoverAsHost(sink, batch, 'T', why, [type]);
    await clickhouse.run('RENAME TABLE dead_letters TO dead_letters_away');
    await expect(isolate()).rejects.toMatchObject({ name: 'PermanentError' });
    await clickhouse.run('RENAME TABLE dead_letters_away TO dead_letters');
    expect([...(await isolate()).deadLettered]).toEqual([['violated_constraint', 1]]);
    expect(await stored()).toEqual({ rows: 99, sizes: 99 });
    expect(await letters()).toHaveLength(1);
  });

  it('dead letters that are refused: they wait', async () => {
    await createTable(`${COLUMNS}, CONSTRAINT odd CHECK size != 50`);
    await clickhouse.run("ALTER TABLE dead_letters ADD CONSTRAINT none CHECK stage != 'sink'");
    const batch = entries(100);
    await expect(store(batch, 'T')).rejects.toMatchObject({ name: 'PermanentError' });
    const letter = encodeBatch(
      sink,
      sampleBatch(deadLetters, [{ ...sampleRecord(deadLetters), stage: 'sink' }]),
      'g/1/1',
    );
    await expect(store([letter], 'L')).rejects.toMatchObject({ name: 'PermanentError' });
    await clickhouse.run('ALTER TABLE dead_letters DROP CONSTRAINT none');
    await store(batch, 'T');
    await store([letter], 'L');
    expect(await letters()).toHaveLength(2);
  });
});

describe('an insert of too many partitions', () => {
  it('is divided by partition, and its bad rows are found', async () => {
    await createTable(`${COLUMNS}, CONSTRAINT odd CHECK size != 77`, 'PARTITION BY toDate(event_time)');
    const batch = entries(
      1_000,
      (record, row) => (record['event_time'] = Date.UTC(2026, 0, 1) + (row % 250) * DAY),
    );
    await store(batch, 'T');
    const { rejected } = await sink.recover!(batch, 'T', { uncertain: true }, signal);
    expect(rejected.map(({ raw }) => (JSON.parse(raw) as { size: number }).size)).toEqual([77]);
    expect(await stored()).toEqual({ rows: 999, sizes: 999 });
    expect(sizesOf(await letters())).toEqual([77]);
  });
});

describe('a view of an operator that refuses a row', () => {
  it('makes no row count twice in the table', async () => {
    await createTable();
    await clickhouse.run(
      'CREATE TABLE seen (size UInt64, CONSTRAINT odd CHECK size != 50) ENGINE = MergeTree ORDER BY size SETTINGS non_replicated_deduplication_window = 100',
    );
    await clickhouse.run('CREATE MATERIALIZED VIEW watch TO seen AS SELECT size FROM things');
    try {
      const batch = entries(100);
      const report = await store(batch, 'T');
      expect(report).toBeUndefined();
      expect(await stored()).toEqual({ rows: 100, sizes: 100 });
    } finally {
      await clickhouse.run('DROP TABLE watch SYNC');
      await clickhouse.run('DROP TABLE seen SYNC');
    }
  });
});
