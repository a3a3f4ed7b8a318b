import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { defineEventType, type EventRecord, type EventType, type Sink } from '@activity-gateway/pipeline/api';
import { encodeBatch } from '@activity-gateway/pipeline/helpers';
import {
  createTestContext,
  everyKind,
  sampleBatch,
  sampleRecords,
  TEST_ORIGIN,
} from '@activity-gateway/pipeline/testing';
import { startTestClickHouse, type TestClickHouse } from '../../../../test/support/clickhouse.js';
import { clickhouseSink } from '../index.js';

const STAMP_COLUMNS = `received_at DateTime64(3, 'UTC'), agent_spki LowCardinality(String), agent_host LowCardinality(String),
  source_ip IPv6, ingest_batch String`;

let clickhouse: TestClickHouse;
beforeAll(async () => {
  clickhouse = await startTestClickHouse();
}, 60_000);
afterAll(() => clickhouse.stop());
beforeEach(() => clickhouse.run('DROP TABLE IF EXISTS t SYNC'));

const USUAL = `n UInt64, time DateTime64(3, 'UTC'), time_or_not Nullable(DateTime64(3, 'UTC')), text String,
  text_or_not Nullable(String), keyword LowCardinality(String), keyword_or_not LowCardinality(Nullable(String)), ip IPv6,
  ip_or_not Nullable(IPv6), u8 UInt8, u8_or_not Nullable(UInt8), u16 UInt16, u16_or_not Nullable(UInt16), u64 UInt64,
  u64_or_not Nullable(UInt64), bool Bool, bool_or_not Nullable(Bool), group Nested(texts String, keywords LowCardinality(String)),
  numbers Array(UInt64), bools Array(Bool), map Map(LowCardinality(String), String)`;

/** Types that an operator may have given the columns instead. */
const OTHER = `n UInt64, time DateTime('UTC'), time_or_not DateTime64(6, 'UTC'), text LowCardinality(String),
  text_or_not String, keyword String, keyword_or_not LowCardinality(String), ip Nullable(IPv6),
  ip_or_not IPv6, u8 UInt32, u8_or_not UInt8, u16 Nullable(UInt16), u16_or_not UInt64, u64 Nullable(UInt64),
  u64_or_not UInt64, bool UInt8, bool_or_not Bool, group Nested(texts LowCardinality(String), keywords String),
  numbers Array(Nullable(UInt64)), bools Array(UInt8), map Map(String, String)`;

async function createTable(columns: string, stamps = STAMP_COLUMNS): Promise<void> {
  await clickhouse.run(
    `CREATE TABLE t (${columns}, ${stamps}) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 10`,
  );
}

function createSink(type: EventType): Sink {
  const context = createTestContext({ eventTypes: [type] });
  context.services.endpoints.set(new Map([['clickhouse', clickhouse.endpoint]]));
  const config = { endpoint: 'clickhouse', compression: false, request_timeout: '30s' };
  return clickhouseSink.create(config, context);
}

/** Samples of every variant, with one length for the parts of the group. */
function samples(): EventRecord[] {
  return sampleRecords(everyKind, 4).map((record, n) => {
    const texts = record['group.texts'] as string[];
    return { ...record, n, 'group.keywords': texts.map((_, index) => `k${index % 2}`) };
  });
}

/** A record as ClickHouse has to show it: UTF-8 has no lone surrogates, numbers above 2^53 come as doubles. */
function shown(record: EventRecord): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, shownValue(name, value)]));
}

function shownValue(name: string, value: unknown): unknown {
  if (value instanceof Map) {
    return Object.fromEntries(
      [...value].map(([key, each]) => [wellFormed(key as string), shownValue('', each)]),
    );
  }
  if (Array.isArray(value)) return value.map((each) => shownValue('', each));
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'string') return value;
  return name.startsWith('ip') && value.includes('.') ? `::ffff:${value}` : wellFormed(value);
}

function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

const NUMBERS = `* EXCEPT (time, time_or_not, received_at, agent_spki, agent_host, source_ip, ingest_batch),
  toUnixTimestamp64Milli(toDateTime64(time, 3)) AS time, toUnixTimestamp64Milli(toDateTime64(time_or_not, 3)) AS time_or_not`;

describe('Native blocks', () => {
  it('store every value of every kind as it was', async () => {
    await createTable(USUAL);
    const sink = createSink(everyKind);
    const records = samples();
    const entry = encodeBatch(sink, sampleBatch(everyKind, records), 'g/1/1');
    await sink.write([entry], 'a', new AbortController().signal);
    expect(await clickhouse.rows(`SELECT ${NUMBERS} FROM t ORDER BY n`)).toEqual(records.map(shown));
    await sink.stop?.(0);
  });

  it('write a column of one value as a column of many: the rows of a block and blocks of one row are the same', async () => {
    await createTable(USUAL);
    const sink = createSink(everyKind);
    for (const [n, record] of samples().entries()) {
      const five = [0, 1, 2, 3, 4].map(() => ({ ...record, n }));
      const together = encodeBatch(sink, sampleBatch(everyKind, five), 'g/1/1');
      const alone = five.map((each) => encodeBatch(sink, sampleBatch(everyKind, [each]), 'g/1/2'));
      await clickhouse.run('TRUNCATE TABLE t');
      await sink.write([together], `together ${n}`, new AbortController().signal);
      await sink.write(alone, `alone ${n}`, new AbortController().signal);
      const rows = await clickhouse.rows(`SELECT ${NUMBERS} FROM t`);
      expect(rows).toEqual(Array.from({ length: 10 }, () => shown({ ...record, n })));
    }
    await sink.stop?.(0);
  });

  it.each(['IPv6', 'Nullable(IPv6)', 'String'])(
    'store the stamps of each run, the address as %s',
    async (type) => {
      await createTable(USUAL, STAMP_COLUMNS.replace('source_ip IPv6', `source_ip ${type}`));
      const sink = createSink(everyKind);
      const entry = encodeBatch(sink, sampleBatch(everyKind, samples().slice(0, 2)), 'g/1/7');
      await sink.write([entry], 'a', new AbortController().signal);
      const rows = await clickhouse.rows(
        'SELECT toUnixTimestamp64Milli(received_at) AS at, agent_spki, agent_host, source_ip, ingest_batch FROM t ORDER BY n',
      );
      expect(rows).toEqual([
        {
          at: Date.UTC(2026, 10, 20, 12),
          agent_spki: TEST_ORIGIN.sender,
          agent_host: TEST_ORIGIN.senderHost,
          source_ip: `::ffff:${TEST_ORIGIN.sourceIp}`,
          ingest_batch: 'g/1/7',
        },
        {
          at: Date.UTC(2026, 10, 20, 12) + 1,
          agent_spki: 'cd'.repeat(32),
          agent_host: 'höst-2',
          source_ip: '2001:db8::7',
          ingest_batch: 'g/1/7',
        },
      ]);
      await sink.stop?.(0);
    },
  );

  it('fit other column types, in one insert with blocks that were made before these were known', async () => {
    await createTable(OTHER);
    const sink = createSink(everyKind);
    // The last variant's times are beyond DateTime, and `extreme` has numbers beyond the smaller types.
    const records = samples().filter((_, index) => index < 8);
    const before = encodeBatch(sink, sampleBatch(everyKind, records), 'g/1/1');
    await sink.write([before], 'a', new AbortController().signal);
    const after = encodeBatch(sink, sampleBatch(everyKind, records), 'g/1/2');
    expect(Buffer.from(before.bytes).equals(after.bytes)).toBe(false);
    await sink.write([before, after, before], 'b', new AbortController().signal);
    expect(await clickhouse.rows('SELECT count() AS c, uniqExact(ingest_batch) AS b FROM t')).toEqual([
      { c: 32, b: 2 },
    ]);
    const [first] = await clickhouse.rows(`SELECT * FROM t WHERE n = 1 AND ingest_batch = 'g/1/2'`);
    expect(first).toMatchObject({
      time: '2026-11-20 09:15:02',
      time_or_not: '2026-11-20 09:15:02.188000',
      text: 'D:\\Finance\\q1.xlsx',
      keyword: 'keyword 1',
      ip: '2001:db8::1',
      u64: 8192,
      'group.texts': ['one', 'two 1'],
      'group.keywords': ['k0', 'k1'],
      map: { src: '10.1.1.5', index: '1' },
    });
    const same = await clickhouse.rows(
      `SELECT n, uniqExact(tuple(* EXCEPT ingest_batch)) AS forms FROM t GROUP BY n HAVING forms > 1`,
    );
    expect(same.filter(({ n }) => Number(n) < 4)).toEqual([]);
    await sink.stop?.(0);
  });

  it('store what was added batch by batch, and nothing of what was taken back', async () => {
    await createTable(USUAL);
    const sink = createSink(everyKind);
    const records = samples();
    const block = sink.open(everyKind);
    const meanwhile = encodeBatch(sink, sampleBatch(everyKind, records.slice(0, 1)), 'g/1/2');
    for (let from = 0; from < records.length; from += 3) {
      block.add(sampleBatch(everyKind, records.toReversed()));
      block.undo();
      block.add(sampleBatch(everyKind, records.slice(from, from + 3)));
    }
    await sink.write([block.finish('g/1/1'), meanwhile], 'a', new AbortController().signal);
    expect(await clickhouse.rows(`SELECT ${NUMBERS} FROM t ORDER BY ingest_batch, n`)).toEqual(
      [...records, ...records.slice(0, 1)].map(shown),
    );
    await sink.stop?.(0);
  });

  it.each([1, 255, 256, 65_535, 65_536, 70_000])('hold dictionaries of %i keys', async (keys) => {
    const type = defineEventType({ name: 't', fields: { n: { kind: 'uint64' }, word: { kind: 'keyword' } } });
    await createTable('n UInt64, word LowCardinality(String)');
    const sink = createSink(type);
    const records = Array.from({ length: keys + 3 }, (_, n) => ({ n, word: `word ${n % keys}` }));
    const entry = encodeBatch(sink, sampleBatch(type, records), 'g/1/1');
    await sink.write([entry], 'a', new AbortController().signal);
    const [row] = await clickhouse.rows(
      `SELECT count() AS c, uniqExact(word) AS w, countIf(word != concat('word ', toString(n % ${keys}))) AS wrong FROM t`,
    );
    expect(row).toEqual({ c: keys + 3, w: keys, wrong: 0 });
    await sink.stop?.(0);
  });

  it('hold in each block the dictionary of its own rows, whatever the blocks before it held', async () => {
    const type = defineEventType({ name: 't', fields: { n: { kind: 'uint64' }, word: { kind: 'keyword' } } });
    await createTable('n UInt64, word LowCardinality(String)');
    const sink = createSink(type);
    // Blocks that share half of their words with the one before, once too many words to keep, and a word that is no UTF-8.
    const starts = [0, 2, 4, 0, 10_000, 0, 2];
    const blocks = starts.map((start, block) =>
      Array.from({ length: start === 10_000 ? 9_000 : 4 }, (_, n) => ({
        n: block,
        word: n === 1 ? 'half \ud800' : `a longer word ${start + n}`,
      })),
    );
    const entries = blocks.map((records, block) =>
      encodeBatch(sink, sampleBatch(type, records), `g/1/${block}`),
    );
    await sink.write(entries, 'a', new AbortController().signal);
    const rows = await clickhouse.rows(
      'SELECT n, arraySort(groupArray(word)) AS words FROM t GROUP BY n ORDER BY n',
    );
    expect(rows).toEqual(
      blocks.map((records, n) => ({ n, words: records.map(({ word }) => wellFormed(word)).sort() })),
    );
    await sink.stop?.(0);
  });
});
