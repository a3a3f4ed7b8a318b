import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defineEventType, type EventRecord } from '@app/pipeline/api';
import { createTestContext, sampleBatch, sampleRecords } from '@app/pipeline/testing';
import { startTestClickHouse, type TestClickHouse } from '../../../../test/support/clickhouse.js';
import { clickhouseSink } from '../index.js';

let clickhouse: TestClickHouse;
beforeAll(async () => {
  clickhouse = await startTestClickHouse();
}, 60_000);
afterAll(() => clickhouse.stop());

const everyKind = defineEventType({
  name: 'every_kind',
  fields: {
    n: { kind: 'uint64' },
    time: { kind: 'time' },
    time_or_not: { kind: 'time', nullable: true },
    text: { kind: 'text' },
    text_or_not: { kind: 'text', nullable: true },
    keyword: { kind: 'keyword' },
    keyword_or_not: { kind: 'keyword', nullable: true },
    ip: { kind: 'ip' },
    ip_or_not: { kind: 'ip', nullable: true },
    u8: { kind: 'uint8' },
    u8_or_not: { kind: 'uint8', nullable: true },
    u16: { kind: 'uint16' },
    u64: { kind: 'uint64' },
    u64_or_not: { kind: 'uint64', nullable: true },
    bool: { kind: 'bool' },
    'group.texts': { kind: 'text[]' },
    'group.keywords': { kind: 'keyword[]' },
    numbers: { kind: 'uint64[]' },
    bools: { kind: 'bool[]' },
    map: { kind: 'keyword-map' },
  },
});
describe('x', () => {
  it('y', async () => {
    await clickhouse.run(`CREATE TABLE every_kind (
      n UInt64,
      time DateTime64(3, 'UTC'), time_or_not Nullable(DateTime64(3, 'UTC')), text String, text_or_not Nullable(String),
      keyword LowCardinality(String), keyword_or_not LowCardinality(Nullable(String)), ip IPv6, ip_or_not Nullable(IPv6),
      u8 UInt8, u8_or_not Nullable(UInt8), u16 UInt16, u64 UInt64, u64_or_not Nullable(UInt64), bool Bool, group Nested(texts String, keywords LowCardinality(String)),
      numbers Array(UInt64), bools Array(Bool), map Map(LowCardinality(String), String),
      received_at DateTime64(3, 'UTC'), agent_spki LowCardinality(String), agent_host LowCardinality(String), source_ip IPv6, ingest_batch String
    ) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window=10`);
    const context = createTestContext({ eventTypes: [everyKind] });
    context.services.endpoints.set(new Map([['clickhouse', clickhouse.endpoint]]));
    const sink = clickhouseSink.create(
      { endpoint: 'clickhouse', compression: false, request_timeout: '10s' } as never,
      context,
    );
    const records: EventRecord[] = sampleRecords(everyKind, 4).map((r, i) => ({
      ...r,
      n: i,
      'group.keywords': (r['group.texts'] as string[]).map((_, j) => `k${j}`),
    }));
    const entry = sink.encode(sampleBatch(everyKind, records), 'g/1/1');
    const before = sink.encode(sampleBatch(everyKind, records.slice(0, 1)), 'g/1/2');
    console.log(entry.bytes.length);
    await sink.write([entry], 't1', new AbortController().signal);
    await sink.write([before, entry], 't2', new AbortController().signal);
    console.log(context.reports);
    const rows = await clickhouse.rows(
      'SELECT * REPLACE(substring(text,1,60) as text) FROM every_kind order by n',
    );
    console.log(JSON.stringify(rows, null, 0).slice(0, 12000));
    console.log(
      await clickhouse.rows(
        "select name, rows, part_type from system.parts where table='every_kind' and active",
      ),
    );
    await sink.stop?.(0);
  });
});
