import { once } from 'node:events';
import { createServer } from 'node:net';
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
import { type HostReport, recoverAsHost } from '../../../test/support/recover-as-host.js';
import { clickhouseSink } from './index.js';

const type = defineEventType({
  name: 'things',
  fields: { event_time: { kind: 'time' }, size: { kind: 'uint64' } },
});
const COLUMNS = `event_time DateTime64(3, 'UTC'), size UInt64, received_at DateTime64(3, 'UTC'),
  agent_spki LowCardinality(String), agent_host LowCardinality(String), source_ip IPv6, ingest_batch String`;
const signal = new AbortController().signal;

let clickhouse: TestClickHouse;
let proxy: AnswerProxy;
let sinks: Sink[];
let sink: Sink;
let context: TestContext;
let now: number;
/** Bodies of this size are answered 413; how many were. */
let limit: number;
let refused: number;
/** Inserts that get through before every connection is cut. */
let left: number;
beforeAll(async () => {
  clickhouse = await startTestClickHouse();
  proxy = await AnswerProxy.start(clickhouse.endpoint.url);
}, 60_000);
afterAll(async () => {
  await proxy.close();
  await clickhouse.stop();
});
const FRAME = 400;
const isDeadLetters = (statement: string): boolean => /^INSERT INTO \S*dead_letters/.test(statement);
beforeEach(async () => {
  [limit, refused, left, sinks] = [Infinity, 0, Infinity, []];
  now = Date.UTC(2026, 10, 20);
  proxy.choose = ({ statement, body }) => {
    const isQuestion = statement.includes(' FROM rejected_');
    if (!statement.startsWith('INSERT') && !isQuestion) return undefined;
    // One dead letter is larger than an entry of ten rows here, and a question has a frame around its blocks.
    const most = isDeadLetters(statement) ? Infinity : limit + (isQuestion ? FRAME : 0);
    if (body.length >= most) {
      return ({ response }) => {
        refused += 1;
        response.writeHead(413).end('<html>413 Request Entity Too Large</html>');
      };
    }
    if (isQuestion) return undefined;
    left -= 1;
    return left < 0 ? ({ response }) => void response.socket?.destroy() : undefined;
  };
  await clickhouse.run('DROP TABLE IF EXISTS things SYNC');
  await clickhouse.run(
    `CREATE TABLE things (${COLUMNS}, CONSTRAINT odd CHECK size != 1003) ENGINE = MergeTree ORDER BY event_time SETTINGS non_replicated_deduplication_window = 100`,
  );
  await clickhouse.run('TRUNCATE TABLE dead_letters');
  sink = createSink();
});
afterEach(async () => {
  for (const each of sinks) await each.stop?.(0);
});

function createSink(url = proxy.url): Sink {
  context = createTestContext({ id: 'activity/clickhouse', eventTypes: [type, deadLetters], now: () => now });
  context.services.endpoints.set(new Map([['clickhouse', { ...clickhouse.endpoint, url }]]));
  const options = { endpoint: 'clickhouse', compression: false, request_timeout: '20s' };
  const created = clickhouseSink.create(options, context);
  sinks.push(created);
  return created;
}

/** Eight entries of ten rows. Rows of neighbouring entries are equal but for the entry, and so are two of each entry. */
function entries(first = 0): EncodedEntry[] {
  return Array.from({ length: 8 }, (_, entry) => {
    const records = Array.from({ length: 10 }, (_row, index) => ({
      event_time: Date.UTC(2026, 10, 20),
      size: first + (entry >> 1) * 10 + Math.max(index, 1),
    }));
    return encodeBatch(sink, sampleBatch(type, records), `g/0001/${String(first + entry).padStart(12, '0')}`);
  });
}

const STORED_ONCE = { rows: 80, sizes: 36, entries: 8, least: 10, most: 10 };
async function stored(): Promise<unknown> {
  const [row] = await clickhouse.rows(
    `SELECT sum(n) AS rows, (SELECT uniqExact(size) FROM things) AS sizes, count() AS entries, min(n) AS least, max(n) AS most
FROM (SELECT count() AS n FROM things GROUP BY ingest_batch)`,
  );
  return row;
}

/** As the host does: write or recover, and again until it succeeds. */
async function store(
  batch: readonly EncodedEntry[],
  token: string,
  by: Sink,
  isOld = false,
): Promise<HostReport> {
  let refusal: PartialWriteError | undefined;
  for (let attempts = 0; attempts < 40; attempts += 1) {
    try {
      if (refusal !== undefined || isOld) {
        const why = { uncertain: isOld, ...(refusal && { refusal }) };
        return await recoverAsHost(by, batch, token, why, [type]);
      }
      await by.write(batch, token, signal);
      return { deadLettered: new Map() };
    } catch (error) {
      if (error instanceof PartialWriteError) refusal = error;
      else if ((error as Error).name !== 'RetryableError') throw error;
    }
  }
  throw new Error('It does not end.');
}

const sizeOf = (batch: readonly EncodedEntry[]): number =>
  batch.reduce((sum, { bytes }) => sum + bytes.length, 0);

describe('a body that is too large for a proxy', () => {
  it.each([2, 4, 8])('is divided until it passes, to a part of %i', async (parts) => {
    const batch = entries();
    limit = sizeOf(batch) / parts + 1;
    expect((await store(batch, 'T', sink)).deadLettered.size).toBe(0);
    expect(refused).toBeGreaterThan(0);
    expect(await stored()).toEqual(STORED_ONCE);
  });

  it('loses rows when its halves have the token of the whole (negative control)', async () => {
    const batch = entries();
    await sink.write(batch.slice(0, 4), 'T', signal);
    await sink.write(batch.slice(4), 'T', signal);
    expect(await stored()).toMatchObject({ rows: 40 });
  });

  it('is stored once when the whole had been stored before, with an answer that got lost', async () => {
    const batch = entries();
    left = 0;
    await expect(sink.write(batch, 'T', signal)).rejects.toMatchObject({ name: 'RetryableError' });
    left = Infinity;
    await sink.write(batch, 'T', signal);
    limit = sizeOf(batch) / 2;
    await store(batch, 'T', sink);
    expect(await stored()).toEqual(STORED_ONCE);
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7])(
    'is stored once when a crash comes after %i parts, also with another limit afterwards',
    async (inserts) => {
      const batch = entries();
      limit = sizeOf(batch) / 8 + 1;
      left = inserts;
      await expect(store(batch, 'T', sink)).rejects.toThrow('It does not end.');
      left = Infinity;
      limit = sizeOf(batch) / (inserts % 2 === 0 ? 4 : 8) + 1;
      await store(batch, 'T', createSink(), true);
      expect(await stored()).toEqual(STORED_ONCE);
    },
  );

  it('has its rejected rows in the dead letters, with entries that pass', async () => {
    const batch = entries(1_000);
    limit = sizeOf(batch) / 8 + 1;
    const report = await store(batch, 'T', sink);
    // The value stands in two entries.
    expect([...report.deadLettered]).toEqual([['violated_constraint', 2]]);
    expect(await clickhouse.rows('SELECT 1 FROM dead_letters')).toHaveLength(2);
    expect(await stored()).toMatchObject({ rows: 78 });
  });

  it('waits for a person when it is one entry', async () => {
    const [entry] = entries();
    limit = 10;
    const work = sink.write([entry!], 'T', signal);
    await expect(work).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'BODY_TOO_LARGE',
      message: expect.stringContaining(
        'HTTP 413, "<html>413 Request Entity Too Large</html>") and cannot be',
      ),
    });
    limit = Infinity;
    await sink.write([entry!], 'T', signal);
    expect(await stored()).toMatchObject({ rows: 10 });
  });

  it('is not sent again and again: the limit is remembered for five minutes, and shown', async () => {
    const [one, two, three] = [entries(0), entries(100), entries(200)];
    limit = sizeOf(one) / 2 + 1;
    await store(one, 'A', sink);
    const before = refused;
    await store(two, 'B', sink);
    expect(refused).toBe(before);
    expect(context.reports.at(-1)).toEqual({
      state: 'degraded',
      reason: expect.stringContaining('bytes are refused as too large before they reach ClickHouse'),
    });
    limit = Infinity;
    now += 300_001;
    await store(three, 'C', sink);
    expect(context.reports.at(-1)).toEqual({ state: 'ok', reason: undefined });
    expect(await stored()).toMatchObject({ rows: 240, entries: 24, most: 10 });
  });

  it('is told by one that reads none of it', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.pause();
        socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 4\r\n\r\nmuch');
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    await sink.check!(signal);
    context.services.endpoints.set(
      new Map([['clickhouse', { ...clickhouse.endpoint, url: `http://127.0.0.1:${port}` }]]),
    );
    const closed = new Promise((resolve) =>
      server.once('connection', (socket) => socket.once('close', resolve)),
    );
    await expect(sink.check!(signal)).rejects.toMatchObject({ message: expect.stringContaining('HTTP 413') });
    await sink.stop?.(0);
    await closed;
    server.close();
  });
});
