import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type EventType, deadLetters, type Sink } from '@activity-gateway/pipeline/api';
import { encodeBatch } from '@activity-gateway/pipeline/helpers';
import { createTestContext, sampleBatch, sampleRecords } from '@activity-gateway/pipeline/testing';
import { plugins } from '../../plugins/index.js';
import { clickhouseSink } from '../../plugins/sinks/clickhouse/index.js';
import { chooseType } from '../../plugins/sinks/clickhouse/native/choose-type.js';
import { tableFields } from '../../plugins/sinks/clickhouse/native/table-encoder.js';
import { startTestClickHouse, type TestClickHouse } from '../support/clickhouse.js';

const eventTypes: EventType[] = plugins.flatMap((plugin) =>
  plugin.kind === 'parser' && 'eventTypes' in plugin ? [...plugin.eventTypes] : [],
);
eventTypes.push(deadLetters);
const DAY = 86_400_000;
/** Columns that no record brings: the id that the table gives. */
const OWN_COLUMNS: Readonly<Record<string, readonly string[]>> = { dead_letters: ['id'] };

let clickhouse: TestClickHouse;
let sink: Sink;
beforeAll(async () => {
  clickhouse = await startTestClickHouse();
  const context = createTestContext({ eventTypes });
  context.services.endpoints.set(new Map([['clickhouse', clickhouse.endpoint]]));
  const config = { endpoint: 'clickhouse', compression: false, request_timeout: '30s' };
  sink = clickhouseSink.create(config, context);
}, 60_000);
afterAll(async () => {
  await sink.stop?.(0);
  await clickhouse.stop();
});

describe.each(eventTypes.map((type) => [type.name, type] as const))('the table %s', (name, type) => {
  it('has exactly the columns of its event type, with the types that the sink sends unasked', async () => {
    const columns = await clickhouse.rows<{ name: string; type: string }>(
      `SELECT name, type FROM system.columns WHERE database = 'activity' AND table = '${name}' ORDER BY position`,
    );
    const expected = Object.entries(tableFields(type)).map(([field, spec]) => ({
      name: field,
      type: chooseType(spec).name,
    }));
    const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
    const brought = columns.filter((column) => !OWN_COLUMNS[name]?.includes(column.name));
    expect(brought.sort(byName)).toEqual(expected.sort(byName));
  });

  it('takes whatever a record of it can hold', async () => {
    const now = Date.now();
    // Rows outside the retention may be removed at once: the times of the samples are brought into it.
    const records = sampleRecords(type).map((record, index) =>
      'event_time' in record ? { ...record, event_time: now - index * DAY } : record,
    );
    const entry = encodeBatch(sink, sampleBatch(type, records), 'gateway/0001/000000000001');
    await sink.write([entry], `token/${name}`, new AbortController().signal);
    const [row] = await clickhouse.rows<{ stored: number }>(`SELECT count() AS stored FROM ${name}`);
    expect(row?.stored).toBe(records.length);
  });
});
