import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  deadLetters,
  defineEventType,
  type EncodedEntry,
  type Endpoint,
  type EventRecord,
  PartialWriteError,
  type Recovery,
  type Sink,
} from '@activity-gateway/pipeline/api';
import { encodeBatch } from '@activity-gateway/pipeline/helpers';
import { createTestContext, sampleBatch } from '@activity-gateway/pipeline/testing';
import { startTestClickHouse, type TestClickHouse } from '../../../test/support/clickhouse.js';
import { clickhouseSink } from './index.js';

const type = defineEventType({
  name: 'things',
  fields: {
    event_time: { kind: 'time' },
    name: { kind: 'keyword' },
    size: { kind: 'uint64' },
    note: { kind: 'text', nullable: true },
  },
});
const COLUMNS = `event_time DateTime64(3, 'UTC'), name LowCardinality(String), size UInt64, note Nullable(String),
  received_at DateTime64(3, 'UTC'), agent_spki LowCardinality(String), agent_host LowCardinality(String), source_ip IPv6, ingest_batch String`;
const signal = new AbortController().signal;

let clickhouse: TestClickHouse;
let sinks: Sink[];
beforeAll(async () => {
  clickhouse = await startTestClickHouse();
}, 60_000);
afterAll(() => clickhouse.stop(), 20_000);
beforeEach(async () => {
  sinks = [];
  await clickhouse.run('DROP TABLE IF EXISTS things SYNC');
  await clickhouse.run('TRUNCATE TABLE dead_letters');
});
afterEach(async () => {
  for (const sink of sinks) await sink.stop?.(0);
});

function createSink(endpoint: Endpoint = clickhouse.endpoint): Sink {
  const context = createTestContext({ id: 'activity/clickhouse', eventTypes: [type, deadLetters] });
  context.services.endpoints.set(new Map([['clickhouse', endpoint]]));
  const config = { endpoint: 'clickhouse', compression: false, request_timeout: '30s' };
  const sink = clickhouseSink.create(config, context);
  sinks.push(sink);
  return sink;
}

/** By day, with a window of one insert: the next insert of anybody makes the table forget a token. */
async function createTable(columns = COLUMNS, window = 1): Promise<void> {
  await clickhouse.run(
    `CREATE TABLE things (${columns}) ENGINE = MergeTree PARTITION BY toDate(event_time) ORDER BY event_time SETTINGS non_replicated_deduplication_window = ${window}`,
  );
}

/** Ten entries of ten rows over two days, each row twice in its entry but for its time. */
function entries(sink: Sink): EncodedEntry[] {
  return Array.from({ length: 10 }, (_, entry) => {
    const records = Array.from({ length: 10 }, (_row, index): EventRecord => {
      const row = entry * 10 + index;
      const day = Date.UTC(2026, 10, 20 + (index % 2));
      return { event_time: day + row, name: `n${row % 3}`, size: row, note: row % 2 === 0 ? null : 'x' };
    });
    return encodeBatch(sink, sampleBatch(type, records), `g/0001/${String(entry).padStart(12, '0')}`);
  });
}

async function count(): Promise<{ rows: number; sizes: number }> {
  const [row] = await clickhouse.rows<{ rows: number; sizes: number }>(
    'SELECT count() AS rows, uniqExact(size) AS sizes FROM things',
  );
  return row!;
}

/** Another writer's inserts, until the table has forgotten all tokens of before. */
async function forget(): Promise<void> {
  for (const n of [1, 2, 3]) {
    await clickhouse.run(
      `INSERT INTO things (event_time, size) SETTINGS async_insert = 0 VALUES ('2026-11-2${n} 00:00:00', 0)`,
    );
  }
  await clickhouse.run("DELETE FROM things WHERE ingest_batch = ''");
}

/** Of an earlier process. */
const OLD = { uncertain: true };
const ALL = { rows: 100, sizes: 100 };

describe('a batch that may be stored, after the table has forgotten its token', () => {
  it('is stored twice when it is only written again (negative control)', async () => {
    await createTable();
    const sink = createSink();
    const batch = entries(sink);
    await sink.write(batch, 'T', signal);
    await forget();
    await sink.write(batch, 'T', signal);
    expect(await count()).toEqual({ rows: 200, sizes: 100 });
  });

  it('is left alone when all of it is stored', async () => {
    await createTable();
    const sink = createSink();
    const batch = entries(sink);
    await sink.write(batch, 'T', signal);
    await forget();
    const found = batch.map(({ rows }) => rows);
    expect(await sink.recover!(batch, 'T', OLD, signal)).toEqual({ found, rejected: [] });
    expect(await count()).toEqual(ALL);
  });

  it('is written when nothing of it is', async () => {
    await createTable();
    const sink = createSink();
    const batch = entries(sink);
    await forget();
    const { found } = await sink.recover!(batch, 'T', OLD, signal);
    expect(found.every((rows) => rows === 0)).toBe(true);
    expect(await count()).toEqual(ALL);
  });

  it.each([
    ['a partition', "toDate(event_time) = '2026-11-20'"],
    ['some entries', "ingest_batch >= 'g/0001/000000000004'"],
    ['rows in the middle of entries', 'size % 7 = 3'],
    ['rows with a NULL', 'note IS NULL AND size > 50'],
  ])('is completed when %s is missing', async (_, condition) => {
    await createTable();
    const sink = createSink();
    const batch = entries(sink);
    await sink.write(batch, 'T', signal);
    await clickhouse.run(`DELETE FROM things WHERE ${condition}`);
    await forget();
    await sink.recover!(batch, 'T', OLD, signal);
    expect(await count()).toEqual(ALL);
    await sink.recover!(batch, 'T', OLD, signal);
    expect(await count()).toEqual(ALL);
  });

  it('is completed in a table of other types, where values differ from those that were sent', async () => {
    const other = COLUMNS.replace("event_time DateTime64(3, 'UTC')", "event_time DateTime('UTC')")
      .replace('note Nullable(String)', 'note String')
      .replace('size UInt64', 'size UInt16')
      .replace('name LowCardinality(String)', 'name FixedString(4)');
    await createTable(other);
    const sink = createSink();
    const batch = entries(sink);
    await sink.write(batch, 'T', signal);
    await clickhouse.run('DELETE FROM things WHERE size % 7 = 3');
    await forget();
    await sink.recover!(batch, 'T', OLD, signal);
    expect(await count()).toEqual(ALL);
  });
});

describe('an isolation that a crash has interrupted', () => {
  /** Lets so many inserts through, then cuts every connection: what the server does with them stays done. */
  async function cutting(inserts: number): Promise<{ endpoint: Endpoint; server: Server }> {
    let left = inserts;
    const server = createServer((request, response) => {
      const isInsert = decodeURIComponent(request.url ?? '').includes('INSERT');
      if (isInsert && (left -= 1) < 0) return void request.socket.destroy();
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        void fetch(`${clickhouse.endpoint.url}${request.url}`, {
          method: 'POST',
          headers: { connection: 'close' },
          body: Buffer.concat(chunks),
        }).then(async (answer) => {
          const headers = Object.fromEntries([...answer.headers].filter(([name]) => name.startsWith('x-')));
          response.writeHead(answer.status, headers).end(Buffer.from(await answer.arrayBuffer()));
        });
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    return { endpoint: { ...clickhouse.endpoint, url: `http://127.0.0.1:${port}` }, server };
  }

  const constrained = `${COLUMNS}, CONSTRAINT odd CHECK size NOT IN (33, 66)`;

  async function interrupted(inserts: number): Promise<EncodedEntry[]> {
    await createTable(constrained);
    const { endpoint, server } = await cutting(inserts);
    const sink = createSink(endpoint);
    const batch = entries(sink);
    const refusal = await sink
      .write(batch, 'T', signal)
      .catch((error: unknown) => error as PartialWriteError);
    expect(refusal).toBeInstanceOf(PartialWriteError);
    const why = { refusal: refusal as PartialWriteError, uncertain: false };
    const isolate = sink.recover!(batch, 'T', why, signal);
    await expect(isolate).rejects.toMatchObject({ name: 'RetryableError' });
    await sink.stop?.(0);
    server.closeAllConnections();
    server.close();
    return batch;
  }

  const recover = (sink: Sink, batch: EncodedEntry[]): Promise<Recovery> =>
    sink.recover!(batch, 'T', OLD, signal);

  it.each([1, 2, 3, 4])('ends with every row once: cut after %i inserts', async (inserts) => {
    const batch = await interrupted(inserts);
    await forget();
    const { rejected } = await recover(createSink(), batch);
    expect(rejected.map(({ code, entry }) => [code, entry])).toEqual([
      ['violated_constraint', 3],
      ['violated_constraint', 6],
    ]);
    expect(await count()).toEqual({ rows: 98, sizes: 98 });
    const again = await recover(createSink(), batch);
    expect(again.rejected).toEqual(rejected);
    expect(await count()).toEqual({ rows: 98, sizes: 98 });
    expect(await clickhouse.rows('SELECT raw FROM dead_letters')).toEqual([]);
  });

  it.each([1, 2, 3])(
    'ends with every row once when the table was fixed meanwhile: cut after %i',
    async (inserts) => {
      const batch = await interrupted(inserts);
      await clickhouse.run('ALTER TABLE things DROP CONSTRAINT odd');
      await forget();
      expect((await recover(createSink(), batch)).rejected).toEqual([]);
      expect(await count()).toEqual(ALL);
    },
  );
});

describe('an insert without enough memory', () => {
  it('is divided after it has failed again and again', async () => {
    await createTable(COLUMNS, 1000);
    const { url } = clickhouse.endpoint;
    // A server with little memory, as far as inserts of more than 40 rows go.
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const query = decodeURIComponent((request.url ?? '').replaceAll('+', ' '));
        const rows = Number(/LIMIT (\d+)/.exec(query)?.[1] ?? 100);
        if (query.includes('INSERT') && rows > 40) {
          response.writeHead(500, { 'x-clickhouse-exception-code': '241' });
          response.end('Code: 241. DB::Exception: Query memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)');
          return;
        }
        void fetch(`${url}${request.url}`, { method: 'POST', body: Buffer.concat(chunks) }).then(
          async (answer) => {
            const headers = Object.fromEntries([...answer.headers].filter(([name]) => name.startsWith('x-')));
            response.writeHead(answer.status, headers).end(Buffer.from(await answer.arrayBuffer()));
          },
        );
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const sink = createSink({ ...clickhouse.endpoint, url: `http://127.0.0.1:${port}` });
    const batch = entries(sink);
    const attempt = (): Promise<unknown> => sink.write(batch, 'T', signal).catch((error: unknown) => error);
    expect(await attempt()).toMatchObject({ name: 'RetryableError' });
    expect(await attempt()).toMatchObject({ name: 'RetryableError' });
    const refusal = (await attempt()) as PartialWriteError;
    expect(refusal).toBeInstanceOf(PartialWriteError);
    let report: Recovery | undefined;
    for (let attempts = 0; report === undefined && attempts < 20; attempts += 1) {
      report = await sink.recover!(batch, 'T', { refusal, uncertain: false }, signal).catch(() => undefined);
    }
    server.closeAllConnections();
    server.close();
    expect(report?.rejected).toEqual([]);
    expect(await count()).toEqual(ALL);
  });
});
