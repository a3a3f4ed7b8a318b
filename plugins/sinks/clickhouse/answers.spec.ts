import { gzipSync } from 'node:zlib';
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
import { AnswerProxy, type Answering, pass } from '../../../test/support/answer-proxy.js';
import { startTestClickHouse, type TestClickHouse } from '../../../test/support/clickhouse.js';
import { type HostReport, recoverAsHost } from '../../../test/support/recover-as-host.js';
import { clickhouseSink } from './index.js';

const type = defineEventType({
  name: 'things',
  fields: { event_time: { kind: 'time' }, size: { kind: 'uint64' } },
});
const COLUMNS = `event_time DateTime64(3, 'UTC'), size UInt64, received_at DateTime64(3, 'UTC'),
  agent_spki LowCardinality(String), agent_host LowCardinality(String), source_ip IPv6, ingest_batch String`;
const PAGE = '<html>Scheduled maintenance</html>';
const signal = new AbortController().signal;
/** Of an earlier process. */
const OLD = { uncertain: true };

let clickhouse: TestClickHouse;
let proxy: AnswerProxy;
let sink: Sink;
let context: TestContext;
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
  await createTable(100);
  await clickhouse.run('TRUNCATE TABLE dead_letters');
  sink = createSink();
});
afterEach(() => sink.stop?.(0));

async function createTable(window: number, more = ''): Promise<void> {
  await clickhouse.run('DROP TABLE IF EXISTS things SYNC');
  await clickhouse.run(
    `CREATE TABLE things (${COLUMNS}${more}) ENGINE = MergeTree ORDER BY event_time SETTINGS non_replicated_deduplication_window = ${window}`,
  );
}

function createSink(config: object = {}): Sink {
  context = createTestContext({ id: 'activity/clickhouse', eventTypes: [type, deadLetters] });
  context.services.endpoints.set(new Map([['clickhouse', { ...clickhouse.endpoint, url: proxy.url }]]));
  const options = { endpoint: 'clickhouse', compression: false, request_timeout: '20s', ...config };
  return clickhouseSink.create(options, context);
}

/** Entries of so many rows each, `size` counting over all of them. */
function entries(count: number, rows = 10): EncodedEntry[] {
  return Array.from({ length: count }, (_, entry) => {
    const records = Array.from({ length: rows }, (_row, index) => ({
      event_time: Date.UTC(2026, 10, 20),
      size: entry * rows + index,
    }));
    return encodeBatch(sink, sampleBatch(type, records), `g/0001/${String(entry).padStart(12, '0')}`);
  });
}

async function failure(work: Promise<unknown> | undefined): Promise<Error & { code?: string }> {
  return Promise.resolve(work).then(
    () => Promise.reject(new Error('It has succeeded.')),
    (error: unknown) => error as Error,
  );
}

async function stored(): Promise<{ rows: number; sizes: number }> {
  const [row] = await clickhouse.rows<{ rows: number; sizes: number }>(
    'SELECT count() AS rows, uniqExact(size) AS sizes FROM things',
  );
  return row!;
}

/** The given answer to every insert, and what ClickHouse says to everything else. */
function answerInserts(answering: Answering): void {
  proxy.choose = ({ statement }) => (statement.startsWith('INSERT') ? answering : undefined);
}

const page =
  (status: number, headers: Record<string, string> = {}, text: string | Buffer = PAGE): Answering =>
  ({ response }) =>
    void response.writeHead(status, headers).end(text);

/** ClickHouse has it, and the client gets another answer. */
const storedThen =
  (answering: Answering): Answering =>
  async (request) => {
    expect((await request.forward()).status).toBe(200);
    await answering(request);
  };

const SUMMARY = { 'x-clickhouse-summary': '{"read_rows":"30","written_rows":"30"}' };
const EXCEPTION = 'Code: 241. DB::Exception: Memory limit exceeded by secret. (MEMORY_LIMIT_EXCEEDED)';

/** Answers that are no success, and what the state says of each. */
const ANSWERS: readonly (readonly [string, Answering, RegExp])[] = [
  ['a page with status 200', page(200), /HTTP 200, "<html>Scheduled maintenance/],
  ['a page with a summary', page(200, SUMMARY), /HTTP 200, "<html>/],
  ['an exception in the body', page(200, SUMMARY, EXCEPTION), /HTTP 200, "Code: 241\. DB::Exception …"/],
  [
    'an exception at the end of a stream',
    page(200, SUMMARY, `\r\n__exception__\r\nabcdef\r\n${EXCEPTION}\r\n`),
    /"__exception__ abcdef Code: 241\. DB::Exception …"/,
  ],
  [
    'the code of an exception',
    page(200, { ...SUMMARY, 'x-clickhouse-exception-code': '241' }, ''),
    /HTTP 200, no text/,
  ],
  ['an empty answer without summary', page(200, {}, ''), /HTTP 200, no valid X-ClickHouse-Summary header/],
  [
    'a summary that is none',
    page(200, { 'x-clickhouse-summary': 'x' }, ''),
    /HTTP 200, no valid X-ClickHouse-Summary/,
  ],
  [
    'a summary of fewer rows',
    page(200, { 'x-clickhouse-summary': '{"read_rows":"29","written_rows":"29"}' }, ''),
    /30 rows sent and 29 accounted for/,
  ],
  ['status 204', page(204, SUMMARY, ''), /HTTP 204/],
  ['status 202', page(202, SUMMARY, ''), /HTTP 202/],
  ['a redirect', page(307, { location: 'http://127.0.0.1:1/' }, ''), /HTTP 307/],
  ['a page with status 404', page(404), /HTTP 404/],
  ['a page with status 502', page(502), /HTTP 502/],
  [
    'a page that is compressed unasked',
    page(200, { 'content-encoding': 'gzip' }, gzipSync(PAGE)),
    /"<html>Scheduled/,
  ],
  ['a page that says it is compressed', page(200, { 'content-encoding': 'gzip' }), /"<html>Scheduled/],
  [
    'an answer that breaks off',
    ({ response }) => {
      response.writeHead(200, { ...SUMMARY, 'content-length': '10' });
      response.write('x', () => response.destroy());
    },
    /ECONNRESET/,
  ],
  [
    'an answer that never ends',
    ({ response }) => {
      response.writeHead(200, SUMMARY);
      const more = (): void => {
        if (!response.destroyed) response.write('<br>'.repeat(1_000), () => setImmediate(more));
      };
      more();
    },
    /HTTP 200, "(<br>){40}…", cut off/,
  ],
];

describe('an answer to an insert that is no success', () => {
  it.each(ANSWERS)('%s, before ClickHouse has it: nothing is lost', async (_, answering, reason) => {
    const batch = entries(3);
    answerInserts(answering);
    const error = await failure(sink.write(batch, 'T', signal));
    expect(error).toMatchObject({ name: 'RetryableError', message: expect.stringMatching(reason) });
    expect(error.message).not.toContain('secret');
    expect(await stored()).toEqual({ rows: 0, sizes: 0 });
    answerInserts(pass);
    await sink.write(batch, 'T', signal);
    expect(await stored()).toEqual({ rows: 30, sizes: 30 });
  });

  it('is given up after the time of the options when it comes drop by drop', async () => {
    const hasty = createSink({ request_timeout: '300ms' });
    answerInserts(({ response }) => {
      response.writeHead(200, SUMMARY);
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    });
    expect(await failure(hasty.write(entries(1), 'T', signal))).toMatchObject({ code: 'TIMEOUT' });
    await hasty.stop?.(0);
  });

  it('is given up when the host says so while it comes', async () => {
    const abort = new AbortController();
    answerInserts(({ response }) => {
      response.writeHead(200, SUMMARY).flushHeaders();
      abort.abort();
    });
    const error = await failure(sink.write(entries(1), 'T', abort.signal));
    expect(error).toMatchObject({ name: 'RetryableError', code: 'ABORTED' });
  });

  it('an insert whose body is lost on the way', async () => {
    const batch = entries(3);
    // A proxy that turns a POST into one without a body: ClickHouse stores nothing, and says so only in the summary.
    proxy.choose = ({ statement }) =>
      statement.startsWith('INSERT')
        ? async ({ response }) => {
            const address = `${clickhouse.endpoint.url}/?database=activity&wait_end_of_query=1&query=${encodeURIComponent(statement)}`;
            const answer = await fetch(address, { method: 'POST' });
            const headers = Object.fromEntries([...answer.headers].filter(([name]) => name.startsWith('x-')));
            response.writeHead(answer.status, headers).end(Buffer.from(await answer.arrayBuffer()));
          }
        : undefined;
    const error = await failure(sink.write(batch, 'T', signal));
    expect(error.message).toContain('30 rows sent and 0 accounted for');
  });
});

describe('a balancer that gives every second answer itself', () => {
  async function write(token: (attempt: number) => string): Promise<void> {
    const batch = entries(3);
    let attempt = 0;
    answerInserts((request) => {
      attempt += 1;
      // What was stored is told to have been, at last.
      return attempt > ANSWERS.length ? pass(request) : storedThen(ANSWERS[attempt - 1]![1])(request);
    });
    for (const [, , reason] of ANSWERS) {
      const error = await failure(sink.write(batch, token(attempt), signal));
      expect(error).toMatchObject({ name: 'RetryableError', message: expect.stringMatching(reason) });
    }
    await sink.write(batch, token(attempt), signal);
  }

  it('after ClickHouse has stored the batch: it is stored once', async () => {
    await write(() => 'T');
    expect(await stored()).toEqual({ rows: 30, sizes: 30 });
  });

  it('and another token each time would store it each time (negative control)', async () => {
    await write((attempt) => `T${attempt}`);
    expect(await stored()).toEqual({ rows: 30 * (ANSWERS.length + 1), sizes: 30 });
  });
});

describe('an answer to a question that is no answer', () => {
  it.each([
    ['a page', page(200)],
    ['a page of several lines', page(200, {}, `${PAGE}\n${PAGE}\n`)],
    ['nothing', page(200, {}, '')],
    ['nothing, with a summary', page(200, SUMMARY, '')],
    ['an answer of something else', page(200, {}, '{"data":[],"rows":0}')],
    ['a redirect', page(302)],
    [
      'half of it',
      (async ({ forward, response }) => {
        const { headers, text } = await forward();
        response.writeHead(200, headers).end(text.subarray(0, text.length >> 1));
      }) satisfies Answering,
    ],
    [
      'fewer rows',
      (async ({ forward, response }) => {
        const { headers, text } = await forward();
        const answer = JSON.parse(text.toString()) as { data: unknown[] };
        response.writeHead(200, headers).end(JSON.stringify({ ...answer, data: answer.data.slice(1) }));
      }) satisfies Answering,
    ],
  ])('%s: the tables are not said to be missing', async (_, answering) => {
    proxy.choose = () => answering;
    const batch = entries(1);
    const recovery = sink.recover!(batch, 'T', OLD, signal);
    for (const work of [sink.write(batch, 'T', signal), sink.check!(signal), recovery]) {
      expect(await failure(work)).toMatchObject({ name: 'RetryableError', code: 'HTTP' });
    }
    expect(context.reports).toEqual([]);
    proxy.choose = () => undefined;
    await sink.write(batch, 'T', signal);
    expect(await stored()).toEqual({ rows: 10, sizes: 10 });
  });

  it('a page in place of what is stored: nothing is taken to be missing', async () => {
    const batch = entries(3);
    await sink.write(batch, 'T', signal);
    proxy.choose = ({ statement }) => (statement.includes('ingest_batch AS id') ? page(200) : undefined);
    expect(await failure(sink.recover!(batch, 'T', OLD, signal))).toMatchObject({ code: 'HTTP' });
    proxy.choose = () => undefined;
    await sink.recover!(batch, 'T', OLD, signal);
    expect(await stored()).toEqual({ rows: 30, sizes: 30 });
  });
});

describe('isolation of refused rows', () => {
  it('takes no page for a stored piece, nor for stored dead letters', async () => {
    await createTable(100, ', CONSTRAINT odd CHECK size NOT IN (7, 22)');
    const batch = entries(3);
    const refusal = (await failure(sink.write(batch, 'T', signal))) as PartialWriteError;
    expect(refusal).toBeInstanceOf(PartialWriteError);
    let inserts = 0;
    answerInserts((request) => {
      inserts += 1;
      if (inserts % 3 === 1) return page(200)(request);
      if (inserts % 3 === 2) return storedOrRefused(request);
      return pass(request);
    });
    let report: HostReport | undefined;
    for (let attempts = 0; report === undefined && attempts < 60; attempts += 1) {
      const why = { refusal, uncertain: false };
      report = await recoverAsHost(sink, batch, 'T', why, [type]).catch(() => undefined);
    }
    expect([...(report?.deadLettered ?? [])]).toEqual([['violated_constraint', 2]]);
    expect(await stored()).toEqual({ rows: 28, sizes: 28 });
    expect(await clickhouse.rows('SELECT 1 FROM dead_letters')).toHaveLength(2);
    expect(inserts).toBeGreaterThan(6);
  });

  /** ClickHouse has it, whatever it says; the client gets a page. */
  const storedOrRefused: Answering = async (request) => {
    await request.forward();
    await page(200)(request);
  };
});
