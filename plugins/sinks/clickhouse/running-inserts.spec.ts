import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  deadLetters,
  defineEventType,
  type EncodedEntry,
  PartialWriteError,
  RetryableError,
  type Sink,
} from '@activity-gateway/pipeline/api';
import { encodeBatch } from '@activity-gateway/pipeline/helpers';
import { createTestContext, sampleBatch } from '@activity-gateway/pipeline/testing';
import { startTestClickHouse, type TestClickHouse } from '../../../test/support/clickhouse.js';
import { pollUntil } from '../../../test/support/poll.js';
import { clickhouseSink } from './index.js';
import { Isolation } from './isolation.js';
import type { RowRange } from './row-ranges.js';

const ROWS = 100;
const type = defineEventType({
  name: 'things',
  fields: { event_time: { kind: 'time' }, size: { kind: 'uint64' } },
});
// Three seconds an insert, before it stores anything.
const SLOW = 'CONSTRAINT slow CHECK sleepEachRow(0.029) = 0';
const signal = new AbortController().signal;

let clickhouse: TestClickHouse;
let sink: Sink;
let batch: EncodedEntry[];
beforeAll(async () => {
  clickhouse = await startTestClickHouse();
}, 60_000);
afterAll(() => clickhouse.stop());
beforeEach(async () => {
  await clickhouse.run('DROP TABLE IF EXISTS things SYNC');
  await clickhouse.run(`CREATE TABLE things (event_time DateTime64(3, 'UTC'), size UInt64, received_at DateTime64(3, 'UTC'),
    agent_spki LowCardinality(String), agent_host LowCardinality(String), source_ip IPv6, ingest_batch String, ${SLOW})
    ENGINE = MergeTree ORDER BY event_time SETTINGS non_replicated_deduplication_window = 100`);
  const context = createTestContext({ id: 'activity/clickhouse', eventTypes: [type, deadLetters] });
  context.services.endpoints.set(new Map([['clickhouse', clickhouse.endpoint]]));
  const options = { endpoint: 'clickhouse', compression: false, request_timeout: '1s' };
  sink = clickhouseSink.create(options, context);
  const records = Array.from({ length: ROWS }, (_, row) => ({ event_time: 1e12 + row, size: row }));
  batch = [encodeBatch(sink, sampleBatch(type, records), 'g/0001/000000000000')];
});
afterEach(() => sink.stop?.(0));

const write = (): Promise<unknown> => sink.write(batch, 'T', signal).catch((error: unknown) => error);
const running = async (): Promise<number> =>
  (await clickhouse.rows("SELECT 1 FROM system.processes WHERE query LIKE 'INSERT%'")).length;
const noneRunning = (): Promise<number> => pollUntil('the inserts to end', running, (n) => n === 0);
const stored = async (): Promise<unknown> =>
  (await clickhouse.rows('SELECT count() AS rows, uniqExact(size) AS sizes FROM things'))[0];

/** An attempt without an answer that still runs, and then one that is refused for row 50. */
async function refusedBesideOneThatRuns(): Promise<PartialWriteError> {
  expect(await write()).toBeInstanceOf(RetryableError);
  expect(await running()).toBe(1);
  await clickhouse.run('ALTER TABLE things DROP CONSTRAINT slow');
  await clickhouse.run('ALTER TABLE things ADD CONSTRAINT odd CHECK size != 50');
  const refusal = await write();
  expect(refusal).toBeInstanceOf(PartialWriteError);
  expect(await running()).toBe(1);
  return refusal as PartialWriteError;
}

describe('an insert without an answer', () => {
  it('ends before its batch is divided: no row is stored twice', async () => {
    const refusal = await refusedBesideOneThatRuns();
    const { rejected } = await sink.recover!(batch, 'T', { refusal, uncertain: true }, signal);
    expect(rejected).toHaveLength(1);
    await noneRunning();
    expect(await stored()).toEqual({ rows: ROWS - 1, sizes: ROWS - 1 });
  });

  it('would store rows a second time (negative control)', async () => {
    const refusal = await refusedBesideOneThatRuns();
    await sink.recover!(batch, 'T', { refusal, uncertain: false }, signal);
    await noneRunning();
    expect(await stored()).toEqual({ rows: 2 * ROWS - 1, sizes: ROWS });
  });

  it('runs beside one more attempt at most', async () => {
    const attempts = [await write(), await write(), await write()];
    expect(attempts.map((error) => (error as RetryableError).code)).toEqual([
      'TIMEOUT',
      'TIMEOUT',
      '216 QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING',
    ]);
    await noneRunning();
    expect(await stored()).toEqual({ rows: ROWS, sizes: ROWS });
  });
});

describe('a piece of a divided batch', () => {
  const refusal = new PartialWriteError('Row 0 is refused.', '469', []);

  async function isolate(rows: number): Promise<{ calls: string[]; refused: number }> {
    const calls: string[] = [];
    const script: (Error | undefined)[] = [new RetryableError('No answer.', 'TIMEOUT'), refusal, undefined];
    const note = (what: string, { from, to }: RowRange, filtered = false): void =>
      void calls.push(`${what} ${from}-${to}${filtered ? ' filtered' : ''}`);
    const isolation = new Isolation([{ rows }], refusal, false);
    const actions = {
      insert: async (rowRange: RowRange, filtered: boolean): Promise<void> => {
        note('insert', rowRange, filtered);
        const outcome = script.shift();
        if (outcome !== undefined) throw outcome;
      },
      endEarlierInserts: async (rowRange: RowRange): Promise<void> => note('end', rowRange),
    };
    await expect(isolation.run(actions)).rejects.toBeInstanceOf(RetryableError);
    await isolation.run(actions);
    return { calls, refused: isolation.refused.size };
  }

  it('without an answer ends before it is divided further, and what is stored of it is left out', async () => {
    const { calls, refused } = await isolate(4);
    const parts = ['insert 0-1 filtered', 'insert 1-2 filtered', 'insert 2-4 filtered'];
    expect(calls).toEqual(['insert 0-2', 'insert 0-2', 'end 0-2', ...parts]);
    expect(refused).toBe(0);
  });

  it('that is one row is rejected only when it is not stored', async () => {
    const { calls, refused } = await isolate(2);
    const rest = ['insert 0-1 filtered', 'insert 1-2 filtered'];
    expect(calls).toEqual(['insert 0-1', 'insert 0-1', 'end 0-1', ...rest]);
    expect(refused).toBe(0);
  });
});
