import { ClickHouseError } from '@clickhouse/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  deadLetters,
  defineEventType,
  type EncodedEntry,
  PartialWriteError,
  type Sink,
} from '@activity-gateway/pipeline/api';
import { encodeBatch } from '@activity-gateway/pipeline/helpers';
import { createTestContext, sampleBatch, type TestContext } from '@activity-gateway/pipeline/testing';
import { AnswerProxy } from '../../../test/support/answer-proxy.js';
import { startTestClickHouse, type TestClickHouse } from '../../../test/support/clickhouse.js';
import { recoverAsHost } from '../../../test/support/recover-as-host.js';
import { clickhouseSink } from './index.js';
import { failedView } from './views.js';

const type = defineEventType({
  name: 'things',
  fields: { event_time: { kind: 'time' }, name: { kind: 'text' } },
});
const COLUMNS = `event_time DateTime64(3, 'UTC'), name String, received_at DateTime64(3, 'UTC'),
  agent_spki LowCardinality(String), agent_host LowCardinality(String), source_ip IPv6, ingest_batch String`;
const signal = new AbortController().signal;
const METRIC = 'gateway_clickhouse_view_failures_total';

let clickhouse: TestClickHouse;
let proxy: AnswerProxy;
let sink: Sink;
let context: TestContext;
let now: number;
beforeAll(async () => {
  clickhouse = await startTestClickHouse();
  proxy = await AnswerProxy.start(clickhouse.endpoint.url);
}, 60_000);
afterAll(async () => {
  await proxy.close();
  await clickhouse.stop();
});
beforeEach(async () => {
  proxy.choose = () => undefined;
  now = Date.UTC(2026, 10, 20);
  context = createTestContext({ id: 'activity/clickhouse', eventTypes: [type, deadLetters], now: () => now });
  context.services.endpoints.set(new Map([['clickhouse', { ...clickhouse.endpoint, url: proxy.url }]]));
  const config = { endpoint: 'clickhouse', compression: false, request_timeout: '20s' };
  sink = clickhouseSink.create(config, context);
  for (const table of ['bad_view', 'good_view', 'things', 'numbers', 'names']) {
    await clickhouse.run(`DROP TABLE IF EXISTS ${table} SYNC`);
  }
  await clickhouse.run('TRUNCATE TABLE dead_letters');
  const window = 'SETTINGS non_replicated_deduplication_window = 100';
  await clickhouse.run(
    `CREATE TABLE things (${COLUMNS}, CONSTRAINT fine CHECK name != 'refused') ENGINE = MergeTree ORDER BY event_time ${window}`,
  );
  await clickhouse.run(
    `CREATE TABLE numbers (v UInt32, CONSTRAINT low CHECK v < 100) ENGINE = MergeTree ORDER BY v ${window}`,
  );
  await clickhouse.run(`CREATE TABLE names (name String) ENGINE = MergeTree ORDER BY name ${window}`);
  await clickhouse.run(
    'CREATE MATERIALIZED VIEW bad_view TO numbers AS SELECT toUInt32(name) AS v FROM things',
  );
  await clickhouse.run('CREATE MATERIALIZED VIEW good_view TO names AS SELECT name FROM things');
});
afterEach(() => sink.stop?.(0));

let sequence = 0;
function entryOf(...names: readonly string[]): EncodedEntry {
  sequence += 1;
  const records = names.map((name) => ({ event_time: Date.UTC(2026, 10, 20), name }));
  return encodeBatch(sink, sampleBatch(type, records), `g/0001/${String(sequence).padStart(12, '0')}`);
}

async function counts(): Promise<unknown> {
  const [row] = await clickhouse.rows(
    'SELECT (SELECT count() FROM things) AS things, (SELECT count() FROM numbers) AS bad, (SELECT count() FROM names) AS good',
  );
  return row;
}

const warnings = (): object[] =>
  context.logger.lines.filter(({ level, message }) => level === 'warn' && message.includes('view'));

describe('a materialized view that fails', () => {
  it.each([
    ['by a value', 'abc', '6 CANNOT_PARSE_TEXT'],
    ['by a constraint of its target', '500', '469 VIOLATED_CONSTRAINT'],
  ])('%s: its table and the other views have all rows, once', async (_, value, code) => {
    const batch = [entryOf(...Array<string>(9).fill('5')), entryOf(value)];
    await sink.write(batch, 'T', signal);
    await sink.write(batch, 'T', signal);
    expect(await counts()).toEqual({ things: 10, bad: 0, good: 10 });
    expect(await clickhouse.rows('SELECT 1 FROM dead_letters')).toEqual([]);
    expect(warnings()).toEqual([
      expect.objectContaining({
        fields: expect.objectContaining({ table: 'things', view: 'activity.bad_view', code, rows: 10 }),
      }),
    ]);
    const labels = { sink: 'activity/clickhouse', table: 'things', view: 'activity.bad_view' };
    expect(context.metrics.value(METRIC, labels)).toBe(2);
    expect(context.reports.at(-1)).toEqual({
      state: 'degraded',
      reason: expect.stringContaining(`The materialized view activity.bad_view fails (${code})`),
    });
    expect(JSON.stringify([context.logger.lines, context.reports])).not.toContain(`'${value}'`);
  });

  it('is no longer told of when inserts have reached it for a minute', async () => {
    await sink.write([entryOf('abc')], 'A', signal);
    now += 59_000;
    await sink.write([entryOf('1')], 'B', signal);
    expect(context.reports.at(-1)?.state).toBe('degraded');
    now += 2_000;
    await sink.write([entryOf('2')], 'C', signal);
    expect(context.reports.at(-1)?.state).toBe('ok');
    expect(await counts()).toEqual({ things: 3, bad: 2, good: 3 });
    await sink.write([entryOf('abc')], 'D', signal);
    expect(warnings()).toHaveLength(2);
  });

  it('keeps no row out whose neighbour the table refuses', async () => {
    const batch = [entryOf('abc', 'refused', '7', 'abc')];
    const refusal = await sink.write(batch, 'T', signal).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(PartialWriteError);
    const why = { refusal: refusal as PartialWriteError, uncertain: false };
    const report = await recoverAsHost(sink, batch, 'T', why, [type]);
    expect([...report.deadLettered]).toEqual([['violated_constraint', 1]]);
    expect(await counts()).toMatchObject({ things: 3, good: 3 });
  });

  it('has lost its target: the rows are stored', async () => {
    await clickhouse.run('DROP TABLE numbers SYNC');
    await sink.write([entryOf('1', '2')], 'T', signal);
    const [row] = await clickhouse.rows('SELECT count() AS rows FROM things');
    expect(row).toEqual({ rows: 2 });
    expect(context.reports.at(-1)).toEqual({
      state: 'degraded',
      reason: expect.stringContaining('with the target activity.numbers fails (60 UNKNOWN_TABLE)'),
    });
  });

  it.each([
    ['with all rows stored, the insert has happened', true],
    ['with rows missing, it is tried again', false],
  ])('also when it is to be passed over: %s', async (_, isStored) => {
    proxy.choose = ({ statement }) =>
      statement.startsWith('INSERT')
        ? async ({ forward, response }) => {
            if (isStored) await forward();
            const text =
              'Code: 159. DB::Exception: Timeout exceeded: while pushing to view activity.bad_view. (TIMEOUT_EXCEEDED)';
            response.writeHead(500, { 'x-clickhouse-exception-code': '159' }).end(text);
          }
        : undefined;
    const outcome = await sink.write([entryOf('abc')], 'T', signal).then(
      () => 'written',
      (error: unknown) => error,
    );
    if (isStored) expect(outcome).toBe('written');
    else
      expect(outcome).toMatchObject({ name: 'RetryableError', message: expect.stringContaining('bad_view') });
    expect(await counts()).toMatchObject({ things: isStored ? 1 : 0 });
    expect(warnings()).toHaveLength(isStored ? 1 : 0);
  });
});

describe('failedView', () => {
  it.each([
    ['x: while pushing to view activity.mv. ', 'activity.mv'],
    ['x: while pushing to view activity.mv (UUID). ', 'activity.mv'],
    ['x: while pushing to view `my db`.`a view`: more', '`my db`.`a view`'],
    ["Target table 'activity.t' of view 'activity.src' doesn't exists. ", 'with the target activity.t'],
    ['Cannot parse', undefined],
  ])('%s', (message, name) => {
    const error = new ClickHouseError({ code: '6', type: 'T', message });
    expect(failedView(error)?.name).toBe(name);
    expect(failedView(new Error(message))).toBeUndefined();
  });
});
