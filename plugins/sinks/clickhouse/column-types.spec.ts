import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  deadLetters,
  defineEventType,
  type EncodedEntry,
  type Endpoint,
  type EventRecord,
  type Sink,
} from '@activity-gateway/pipeline/api';
import { encodeBatch } from '@activity-gateway/pipeline/helpers';
import { createTestContext, sampleBatch, type TestContext } from '@activity-gateway/pipeline/testing';
import { AnswerProxy, pass } from '../../../test/support/answer-proxy.js';
import { startTestClickHouse, type TestClickHouse } from '../../../test/support/clickhouse.js';
import { storeAsHost } from '../../../test/support/recover-as-host.js';
import { pollUntil } from '../../../test/support/poll.js';
import { clickhouseSink } from './index.js';

const type = defineEventType({
  name: 'things',
  fields: {
    event_time: { kind: 'time' },
    number: { kind: 'uint64' },
    maybe: { kind: 'uint64', nullable: true },
    word: { kind: 'keyword' },
    note: { kind: 'text', nullable: true },
    address: { kind: 'ip', nullable: true },
    numbers: { kind: 'uint64[]' },
    words: { kind: 'text[]' },
    pairs: { kind: 'keyword-map' },
  },
});
const TYPES: Readonly<Record<string, string>> = {
  event_time: "DateTime64(3, 'UTC')",
  number: 'UInt64',
  maybe: 'Nullable(UInt64)',
  word: 'LowCardinality(String)',
  note: 'Nullable(String)',
  address: 'Nullable(IPv6)',
  numbers: 'Array(UInt64)',
  words: 'Array(String)',
  pairs: 'Map(LowCardinality(String), String)',
  received_at: "DateTime64(3, 'UTC')",
  agent_spki: 'LowCardinality(String)',
  agent_host: 'LowCardinality(String)',
  source_ip: 'IPv6',
  ingest_batch: 'String',
};
const USUAL: EventRecord = {
  event_time: Date.UTC(2026, 10, 20),
  number: 7,
  maybe: 7,
  word: 'a',
  note: 'a',
  address: '192.0.2.1',
  numbers: [7],
  words: ['a'],
  pairs: new Map([['a', 'b']]),
};
const signal = new AbortController().signal;

let clickhouse: TestClickHouse;
let sink: Sink;
let context: TestContext;
let now: number;
beforeAll(async () => {
  clickhouse = await startTestClickHouse();
  await defineCluster();
}, 60_000);
afterAll(() => clickhouse.stop());
beforeEach(async () => {
  await clickhouse.run('TRUNCATE TABLE dead_letters');
  now = Date.UTC(2026, 10, 20);
  sink = createSink();
});
afterEach(() => sink.stop?.(0));

/** Of the server as it runs now: each start makes a new password. */
const endpoint = (): Endpoint => clickhouse.service.endpoint.current ?? clickhouse.endpoint;

/** The server reads its configuration when it starts; killed, it is started again at the same address. */
async function defineCluster(): Promise<void> {
  const directory = join(clickhouse.directory, 'clickhouse', 'config.d');
  await mkdir(directory, { recursive: true });
  const replica = '<replica><host>127.0.0.1</host><port>9000</port></replica>';
  await writeFile(
    join(directory, 'cluster.xml'),
    `<clickhouse><remote_servers><two><shard>${replica}</shard><shard>${replica}</shard></two></remote_servers></clickhouse>`,
  );
  clickhouse.kill();
  await pollUntil(
    'the cluster',
    () => clickhouse.rows('SELECT cluster FROM system.clusters'),
    ({ length }) => length > 0 && endpoint() !== clickhouse.endpoint,
  );
}

function createSink(url = endpoint().url): Sink {
  context = createTestContext({ id: 'activity/clickhouse', eventTypes: [type, deadLetters], now: () => now });
  context.services.endpoints.set(new Map([['clickhouse', { ...endpoint(), url }]]));
  return clickhouseSink.create(
    { endpoint: 'clickhouse', compression: false, request_timeout: '20s' },
    context,
  );
}

async function createTable(
  changes: Readonly<Record<string, string>> = {},
  engine = 'MergeTree',
): Promise<void> {
  await clickhouse.run('DROP TABLE IF EXISTS things SYNC');
  const columns = Object.entries({ ...TYPES, ...changes }).map(([name, column]) => `${name} ${column}`);
  const more =
    engine === 'MergeTree' ? 'ORDER BY tuple() SETTINGS non_replicated_deduplication_window = 1000' : '';
  await clickhouse.run(`CREATE TABLE things (${columns.join(', ')}) ENGINE = ${engine} ${more}`);
}

let sequence = 0;
function entryOf(...changes: readonly EventRecord[]): EncodedEntry {
  sequence += 1;
  const records = changes.map((change) => ({ ...USUAL, ...change }));
  return encodeBatch(sink, sampleBatch(type, records), `g/0001/${String(sequence).padStart(12, '0')}`);
}

async function store(entries: readonly EncodedEntry[], token: string): Promise<ReadonlyMap<string, number>> {
  return (await storeAsHost(sink, entries, token, [type]))?.deadLettered ?? new Map<string, number>();
}

async function values(column: string): Promise<unknown[]> {
  const rows = await clickhouse.rows(`SELECT ${column} AS value FROM things ORDER BY number, value`);
  return rows.map(({ value }) => value);
}

/** Column, its new type, what fits (as it is stored), and what does not. */
const NARROWED: readonly (readonly [string, string, unknown, unknown, unknown])[] = [
  ['number', 'UInt16', 65_535, 65_535, 70_000],
  ['number', 'Int8', 127, 127, 128],
  ['number', 'Float32', 70_000, 70_000, 16_777_217],
  ['number', 'Bool', 1, true, 300],
  ['maybe', 'Nullable(UInt16)', 65_535, 65_535, 70_000],
  ['maybe', 'UInt16', 65_535, 65_535, 70_000],
  ['maybe', 'Nullable(Bool)', 1, true, 2],
  ['numbers', 'Array(UInt16)', [1, 65_535], [1, 65_535], [1, 70_000]],
  ['word', "Enum8('a' = 1)", 'a', 'a', 'b'],
  ['word', 'FixedString(2)', 'ab', 'ab', 'abc'],
  ['word', 'UInt16', '65535', 65_535, '70000'],
  ['note', 'Nullable(FixedString(2))', 'ab', 'ab', 'abc'],
  ['note', 'LowCardinality(Nullable(FixedString(2)))', 'ab', 'ab', 'abc'],
  ['note', 'FixedString(2)', 'ab', 'ab', 'abc'],
  ['note', 'Nullable(UInt16)', '7', 7, 'x'],
  ['note', "Nullable(Enum8('a' = 1))", 'a', 'a', 'b'],
  ['note', "Enum8('a' = 1)", null, 'a', 'b'],
  ['address', 'Nullable(IPv4)', '192.0.2.1', '192.0.2.1', '2001:db8::1'],
  ['address', 'IPv4', null, '0.0.0.0', '2001:db8::1'],
  ['words', 'Array(FixedString(2))', ['ab'], ['ab'], ['ab', 'abc']],
  ['pairs', 'Map(String, FixedString(2))', new Map([['a', 'ab']]), { a: 'ab' }, new Map([['a', 'abc']])],
  ['event_time', "DateTime('UTC')", Date.UTC(2106, 0, 1), '2106-01-01 00:00:00', Date.UTC(2107, 0, 1)],
  ['event_time', "DateTime('UTC')", Date.UTC(1970, 0, 2), '1970-01-02 00:00:00', Date.UTC(1969, 0, 1)],
  [
    'event_time',
    "DateTime64(9, 'UTC')",
    Date.UTC(2261, 0, 1),
    '2261-01-01 00:00:00.000000000',
    Date.UTC(2290, 0, 1),
  ],
];

describe('a column whose type is altered while the sink runs', () => {
  it.each(NARROWED)(
    '%s to %s: the next insert stores %j as %j, and %j is a dead letter',
    async (column, narrow, fits, stored, doesNot) => {
      await createTable();
      await store([entryOf({})], 'before');
      await clickhouse.run(`TRUNCATE TABLE things`);
      const becomesStrict = TYPES[column]!.startsWith('Nullable') && !narrow.includes('Nullable');
      const missing = becomesStrict
        ? `DEFAULT defaultValueOfTypeName('${narrow.replaceAll("'", "\\'")}')`
        : '';
      await clickhouse.run(`ALTER TABLE things MODIFY COLUMN ${column} ${narrow} ${missing}`);
      const entries = [
        entryOf({ [column]: fits } as EventRecord, { [column]: doesNot } as EventRecord),
        entryOf({ [column]: fits } as EventRecord),
      ];
      const letters = await store(entries, 'T');
      expect([...letters.values()]).toEqual([1]);
      expect(await values(column)).toEqual([stored, stored]);
      const [letter] = await clickhouse.rows<{ raw: string; field: string }>(
        'SELECT raw, field FROM dead_letters',
      );
      expect(letter!.field).toMatch(new RegExp(`^(/${column})?$`));
      // All of it again, as after a crash: nothing more is stored.
      await store(entries, 'T');
      expect(await values(column)).toHaveLength(2);
    },
  );

  it('would be cut off by a plain insert (negative control)', async () => {
    await createTable({ number: 'UInt16' });
    const entry = entryOf({ number: 70_000 });
    const url = new URL(clickhouse.endpoint.url);
    url.searchParams.set('database', 'activity');
    url.searchParams.set('query', 'INSERT INTO things FORMAT Native');
    expect((await fetch(url, { method: 'POST', body: Buffer.from(entry.bytes) })).status).toBe(200);
    expect(await values('number')).toEqual([4_464]);
  });

  it('is met by no insert that has begun: an ALTER between reading and inserting', async () => {
    await createTable({ word: 'FixedString(9)' });
    const proxy = await AnswerProxy.start(clickhouse.endpoint.url);
    await sink.stop?.(0);
    sink = createSink(proxy.url);
    const entry = entryOf({ number: 70_000, word: 'abc' });
    let altered = false;
    proxy.choose = ({ statement }) => {
      if (!statement.startsWith('INSERT') || altered) return undefined;
      altered = true;
      return async (request) => {
        await clickhouse.run('ALTER TABLE things MODIFY COLUMN number UInt16');
        await pass(request);
      };
    };
    expect([...(await store([entry, entryOf({ number: 5 })], 'T'))]).toEqual([['cannot_convert_type', 1]]);
    expect(altered).toBe(true);
    expect(await values('number')).toEqual([5]);
    await proxy.close();
  });

  it('is wide again: values fit again at once', async () => {
    await createTable({ number: 'UInt16' });
    await store([entryOf({ number: 1 })], 'A');
    await clickhouse.run('ALTER TABLE things MODIFY COLUMN number UInt64');
    expect((await store([entryOf({ number: 70_000 })], 'B')).size).toBe(0);
    expect(await values('number')).toEqual([1, 70_000]);
  });

  it('takes blocks that were made for other types', async () => {
    await createTable({ note: 'String', word: 'String' });
    await sink.check!(signal);
    const before = entryOf({ note: null });
    await createTable({ number: 'UInt32' });
    const after = entryOf({ note: null, number: 8 });
    expect((await store([before, after], 'T')).size).toBe(0);
    expect(await values('note')).toEqual(['', '']);
  });
});

describe('tables', () => {
  it('are read again after 30 s, and not before', async () => {
    await createTable();
    await store([entryOf({})], 'A');
    await createTable({}, 'Memory');
    now += 29_000;
    await store([entryOf({})], 'B');
    expect(context.reports.at(-1)?.state).toBe('ok');
    now += 2_000;
    await expect(store([entryOf({})], 'C')).rejects.toMatchObject({ name: 'PermanentError', code: 'SCHEMA' });
    expect(context.reports.at(-1)?.state).toBe('failed');
  });

  it.each([
    ['Distributed', "Distributed('two', 'activity', 'local_things', rand())"],
    ['Buffer', "Buffer('activity', 'local_things', 1, 10, 100, 10, 100, 10, 100)"],
    ['Memory', 'Memory'],
    ['Log', 'Log'],
    ['Null', 'Null'],
  ])('with the engine %s are refused, with what to do', async (engine, definition) => {
    await createTable({}, definition);
    const entry = entryOf({});
    await expect(sink.check!(signal)).rejects.toThrow(`has the engine ${engine}, which does not recognise`);
    await expect(store([entry], 'T')).rejects.toMatchObject({ name: 'PermanentError', code: 'SCHEMA' });
    expect(context.reports.at(-1)).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('Put a table of the MergeTree family in its place'),
    });
    await createTable();
    await store([entry], 'T');
    expect(context.reports.at(-1)?.state).toBe('ok');
    expect(await values('number')).toEqual([7]);
  });

  it.each(['ReplacingMergeTree', 'SummingMergeTree'])(
    'of the family of MergeTree are taken: %s',
    async (engine) => {
      await clickhouse.run('DROP TABLE IF EXISTS things SYNC');
      const columns = Object.entries(TYPES).map(([name, column]) => `${name} ${column}`);
      await clickhouse.run(
        `CREATE TABLE things (${columns.join(', ')}) ENGINE = ${engine} ORDER BY number SETTINGS non_replicated_deduplication_window = 1000`,
      );
      await sink.check!(signal);
      await store([entryOf({})], 'T');
      expect(context.reports.at(-1)?.state).toBe('ok');
    },
  );

  it.each([
    ['number UInt64 EPHEMERAL', { number: 'UInt64 EPHEMERAL' }, 'does not store'],
    ['words', { words: 'Array(Nullable(FixedString(2)))' }, 'cannot be converted without loss: words'],
  ])('with a column that loses values are refused: %s', async (_, change, reason) => {
    await createTable(change);
    await expect(sink.check!(signal)).rejects.toThrow(reason);
  });
});
