import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  defineEventType,
  type EncodedEntry,
  type EventType,
  PartialWriteError,
  type Sink,
} from '@activity-gateway/pipeline/api';
import { encodeBatch } from '@activity-gateway/pipeline/helpers';
import { createTestContext, sampleBatch } from '@activity-gateway/pipeline/testing';
import { startTestClickHouse, type TestClickHouse } from '../../../test/support/clickhouse.js';
import { recoverAsHost } from '../../../test/support/recover-as-host.js';
import { clickhouseSink } from './index.js';

const fields = { event_time: { kind: 'time' }, size: { kind: 'uint64' } } as const;
const earlier = defineEventType({ name: 'gates', fields });
const now = defineEventType({ name: 'gates', fields: { ...fields, badge: { kind: 'keyword' } } });
const signal = new AbortController().signal;

let clickhouse: TestClickHouse;
let sink: Sink;
beforeAll(async () => {
  clickhouse = await startTestClickHouse({}, [], [now]);
  sink = createSink(now);
}, 60_000);
afterAll(async () => {
  await sink.stop?.(0);
  await clickhouse.stop();
});

function createSink(type: EventType): Sink {
  const context = createTestContext({ id: 'activity/clickhouse', eventTypes: [type] });
  context.services.endpoints.set(new Map([['clickhouse', clickhouse.endpoint]]));
  return clickhouseSink.create(
    { endpoint: 'clickhouse', compression: false, request_timeout: '20s' },
    context,
  );
}

let sequence = 0;
function entryOf(type: EventType, size: number): EncodedEntry {
  const record = { event_time: Date.now(), size, ...('badge' in type.fields && { badge: 'B-17' }) };
  return encodeBatch(createSink(type), sampleBatch(type, [record]), `g/0001/${String((sequence += 1))}`);
}

const rows = (): Promise<object[]> => clickhouse.rows('SELECT size, badge FROM gates ORDER BY size');

it('stores entries of a version that did not know a column, beside those that do', async () => {
  await sink.write([entryOf(earlier, 1), entryOf(now, 2), entryOf(earlier, 3)], 'whole', signal);
  expect(await rows()).toEqual([
    { size: 1, badge: '' },
    { size: 2, badge: 'B-17' },
    { size: 3, badge: '' },
  ]);
});

it('cuts a bad row out of them', async () => {
  await clickhouse.run('TRUNCATE TABLE gates');
  await clickhouse.run('ALTER TABLE gates ADD CONSTRAINT small CHECK size != 5');
  const batch = [entryOf(earlier, 4), entryOf(now, 5), entryOf(earlier, 6)];
  const refusal = await sink.write(batch, 'cut', signal).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(PartialWriteError);
  const why = { refusal: refusal as PartialWriteError, uncertain: false };
  await recoverAsHost(sink, batch, 'cut', why, [now]);
  expect(await rows()).toEqual([
    { size: 4, badge: '' },
    { size: 6, badge: '' },
  ]);
  const letters = await clickhouse.rows<{ raw: string }>('SELECT raw, event_type FROM dead_letters');
  expect(letters).toEqual([{ raw: expect.stringContaining('"badge":"B-17"'), event_type: 'gates' }]);
});
