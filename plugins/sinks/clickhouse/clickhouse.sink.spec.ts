import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type EncodedEntry,
  type Endpoint,
  type EventRecord,
  PartialWriteError,
  PermanentError,
  RetryableError,
  type Sink,
  deadLetters,
  defineEventType,
} from '@activity-gateway/pipeline/api';
import { extraText, encodeBatch } from '@activity-gateway/pipeline/helpers';
import {
  createTestContext,
  sampleBatch,
  sampleRecord,
  type TestContext,
} from '@activity-gateway/pipeline/testing';
import { startTestClickHouse, type TestClickHouse } from '../../../test/support/clickhouse.js';
import { pollUntil } from '../../../test/support/poll.js';
import { clickhouseSink } from './index.js';

const type = defineEventType({
  name: 'things',
  fields: { event_time: { kind: 'time' }, name: { kind: 'keyword' }, size: { kind: 'uint64' } },
});
const COLUMNS = `event_time DateTime64(3, 'UTC'), name LowCardinality(String), size UInt64, received_at DateTime64(3, 'UTC'),
  agent_spki LowCardinality(String), agent_host LowCardinality(String), source_ip IPv6, ingest_batch String`;

/** Keys and values that agents have sent, or may. */
const ODD_TEXTS = [
  'x\udc00y',
  '\ud800',
  '\\ud800',
  '\\\udfff',
  '😀',
  '\0',
  '"',
  '\u2028',
  '\u007f',
  '\ufffd',
];

let clickhouse: TestClickHouse;
let sinks: Sink[];
let signal: AbortSignal;
beforeAll(async () => {
  clickhouse = await startTestClickHouse();
}, 60_000);
afterAll(() => clickhouse.stop());
beforeEach(async () => {
  sinks = [];
  signal = new AbortController().signal;
  await clickhouse.run('DROP TABLE IF EXISTS things SYNC');
});
afterEach(async () => {
  for (const sink of sinks) await sink.stop?.(0);
});

async function createTable(columns = COLUMNS, window = 'SETTINGS non_replicated_deduplication_window = 100') {
  await clickhouse.run(`CREATE TABLE things (${columns}) ENGINE = MergeTree ORDER BY event_time ${window}`);
}

function create(
  endpoint: Endpoint | undefined = clickhouse.endpoint,
  config: object = {},
): { sink: Sink; context: TestContext } {
  const context = createTestContext({ eventTypes: [type, deadLetters] });
  if (endpoint !== undefined) context.services.endpoints.set(new Map([['clickhouse', endpoint]]));
  const options = { endpoint: 'clickhouse', compression: false, request_timeout: '20s', ...config };
  const sink = clickhouseSink.create(options, context);
  sinks.push(sink);
  return { sink, context };
}

function records(count: number, first = 0): EventRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    event_time: Date.UTC(2026, 10, 20) + index,
    name: `name ${index % 5}`,
    size: first + index,
  }));
}

function encode(sink: Sink, count: number, first = 0): EncodedEntry {
  return encodeBatch(sink, sampleBatch(type, records(count, first)), `g/1/${first}`);
}

async function count(): Promise<unknown> {
  const [row] = await clickhouse.rows('SELECT count() AS rows, uniqExact(size) AS sizes FROM things');
  return row;
}

/** The error that a write fails with. */
async function failure(sink: Sink, entries: EncodedEntry[], token = 'token'): Promise<unknown> {
  return sink.write(entries, token, signal).then(
    () => 'written',
    (error: unknown) => error,
  );
}

describe('writing', () => {
  it('puts the entries of one write into one part, once for each token', async () => {
    await createTable();
    const { sink, context } = create();
    const entries = Array.from({ length: 100 }, (_, index) => encode(sink, 10, index * 10));
    await sink.write(entries, 'one', signal);
    await sink.write(entries, 'one', signal);
    expect(await count()).toEqual({ rows: 1_000, sizes: 1_000 });
    expect(await clickhouse.rows("SELECT rows FROM system.parts WHERE table = 'things' AND active")).toEqual([
      { rows: 1_000 },
    ]);
    await sink.write(entries, 'two', signal);
    expect(await count()).toEqual({ rows: 2_000, sizes: 1_000 });
    expect(context.reports).toEqual([{ state: 'ok', reason: undefined }]);
  });

  it('stores extra so that ClickHouse reads it, whatever was in keys and values', async () => {
    await createTable();
    const { sink } = create();
    await sink.start?.(signal);
    const extras = ODD_TEXTS.map((odd) =>
      extraText({ [odd]: { [odd]: [odd, { [odd]: odd }] }, probe: 'kept' }),
    );
    const rows = extras.map((name, size) => ({ event_time: Date.UTC(2026, 10, 20), name, size }));
    await sink.write([encodeBatch(sink, sampleBatch(type, rows), 'g/1/1')], 'odd', signal);
    const read =
      await clickhouse.rows(`SELECT isValidJSON(name) AS valid, JSONExtractString(name, 'probe') AS probe,
      JSONExtractKeys(name)[1] AS key, JSONExtractString(name, 1, 1, 1) AS value, JSONExtractString(name, 1, 1, 2, 1) AS inner
      FROM things ORDER BY size`);
    const expected = ODD_TEXTS.map((odd) => Buffer.from(odd).toString());
    expect(read).toEqual(
      expected.map((text) => ({ valid: 1, probe: 'kept', key: text, value: text, inner: text })),
    );
  });

  it('sends compressed when asked to', async () => {
    await createTable();
    const { sink } = create(undefined, { compression: true });
    await sink.write([encode(sink, 1_000)], 'one', signal);
    expect(await count()).toEqual({ rows: 1_000, sizes: 1_000 });
  });

  it('writes dead letters', async () => {
    await createTable();
    const { sink } = create();
    const batch = sampleBatch(deadLetters, [
      sampleRecord(deadLetters),
      sampleRecord(deadLetters, 'extreme', 2),
    ]);
    await sink.write([encodeBatch(sink, batch, 'g/1/1')], 'letters', signal);
    expect(await clickhouse.rows('SELECT raw FROM dead_letters ORDER BY raw')).toHaveLength(2);
  });

  it('stores nothing of a body that was cut short, and that is no refusal', async () => {
    await createTable();
    const { sink } = create();
    const entry = encode(sink, 1_000);
    const cut = { ...entry, bytes: entry.bytes.subarray(0, -5) };
    expect(await failure(sink, [encode(sink, 10), cut])).toBeInstanceOf(RetryableError);
    expect(await count()).toEqual({ rows: 0, sizes: 0 });
  });

  it('names the refused row over all entries, and stores nothing', async () => {
    await createTable(`${COLUMNS}, CONSTRAINT small CHECK size < 27`);
    const { sink } = create();
    const error = await failure(sink, [encode(sink, 10), encode(sink, 10, 10), encode(sink, 10, 20)]);
    expect(error).toBeInstanceOf(PartialWriteError);
    expect(error).toMatchObject({ code: '469 VIOLATED_CONSTRAINT', rejected: [27] });
    expect((error as PartialWriteError).message).not.toContain('small');
    expect(await count()).toEqual({ rows: 0, sizes: 0 });
  });
});

describe('a schema that does not fit', () => {
  it('keeps the entries of a table that is missing, says so, and goes on when it is there', async () => {
    const { sink, context } = create();
    const entry = encode(sink, 10);
    const error = await failure(sink, [entry]);
    expect(error).toBeInstanceOf(PermanentError);
    expect((error as Error).message).toContain('The table activity.things does not exist.');
    expect(context.reports.at(-1)).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('migrate'),
    });
    await createTable();
    await sink.write([entry], 'token', signal);
    expect(context.reports.at(-1)?.state).toBe('ok');
    expect(await count()).toEqual({ rows: 10, sizes: 10 });
  });

  it('is well again without a write when its address is told anew, as it is after a migration', async () => {
    const { sink, context } = create();
    await failure(sink, [encode(sink, 1)]);
    expect(context.reports.at(-1)?.state).toBe('failed');
    await createTable();
    context.services.endpoints.set(new Map([['clickhouse', { ...clickhouse.endpoint }]]));
    await pollUntil(
      'the sink to look again',
      async () => context.reports.at(-1)?.state,
      (state) => state === 'ok',
    );
  });

  it('takes up a table that was made again, although a write to another table has seen that it was gone', async () => {
    await createTable();
    const { sink } = create();
    await sink.write([encode(sink, 1)], 'one', signal);
    await clickhouse.run('DROP TABLE things SYNC');
    expect(await failure(sink, [encode(sink, 2)], 'two')).toBeInstanceOf(PermanentError);
    const letter = encodeBatch(sink, sampleBatch(deadLetters, [sampleRecord(deadLetters)]), 'g/1/9');
    await sink.write([letter], 'letter', signal);
    await createTable();
    expect(await failure(sink, [encode(sink, 2)], 'two')).toBe('written');
    expect(await count()).toEqual({ rows: 2, sizes: 2 });
  });

  it('writes to the tables that are right', async () => {
    const { sink } = create();
    await failure(sink, [encode(sink, 10)]);
    const letter = encodeBatch(sink, sampleBatch(deadLetters, [sampleRecord(deadLetters)]), 'g/1/9');
    expect(await failure(sink, [letter])).toBe('written');
  });

  it('names a column that is missing', async () => {
    await createTable(COLUMNS.replace('size UInt64, ', ''));
    const { sink } = create();
    const error = await failure(sink, [encode(sink, 10)]);
    expect(error).toBeInstanceOf(PermanentError);
    expect((error as Error).message).toContain('has no column size.');
    await expect(sink.check?.(signal)).rejects.toThrow('has no column size.');
  });

  it('notices a column that goes while it runs', async () => {
    await createTable();
    const { sink, context } = create();
    await sink.write([encode(sink, 10)], 'one', signal);
    await clickhouse.run('ALTER TABLE things DROP COLUMN size');
    expect(await failure(sink, [encode(sink, 10)], 'two')).toBeInstanceOf(PermanentError);
    expect(await failure(sink, [encode(sink, 10)], 'two')).toMatchObject({ code: 'SCHEMA' });
    expect(context.reports.at(-1)?.state).toBe('failed');
  });

  it('does not write to a column that the table computes', async () => {
    await createTable(COLUMNS.replace('size UInt64', 'size UInt64 MATERIALIZED 1'));
    const { sink } = create();
    expect(await failure(sink, [encode(sink, 10)])).toMatchObject({
      message: expect.stringContaining('computes the column size itself'),
    });
  });

  it('warns of a table that would take a repeated insert twice', async () => {
    await createTable(COLUMNS, '');
    const { sink, context } = create();
    await sink.write([encode(sink, 10)], 'one', signal);
    expect(context.reports).toEqual([
      { state: 'degraded', reason: expect.stringContaining('non_replicated_deduplication_window = 10000') },
    ]);
    await expect(sink.check?.(signal)).resolves.toBeUndefined();
  });
});

describe('a ClickHouse that cannot be reached', () => {
  it('is tried again: no address yet, nobody there, given up, stopped', async () => {
    await createTable();
    const { sink, context } = create();
    const entry = encode(sink, 10);
    context.services.endpoints.set(new Map());
    expect(await failure(sink, [entry])).toMatchObject({ name: 'RetryableError', code: 'NO_ENDPOINT' });
    const nowhere = { ...clickhouse.endpoint, url: 'http://127.0.0.1:1' };
    context.services.endpoints.set(new Map([['clickhouse', nowhere]]));
    expect(await failure(sink, [entry])).toMatchObject({ name: 'RetryableError', code: 'ECONNREFUSED' });
    context.services.endpoints.set(new Map([['clickhouse', clickhouse.endpoint]]));
    await expect(sink.write([entry], 'a', AbortSignal.abort())).rejects.toMatchObject({ code: 'ABORTED' });
    await sink.write([entry], 'a', signal);
    expect(await count()).toEqual({ rows: 10, sizes: 10 });
    await sink.stop?.(0);
    expect(await failure(sink, [entry])).toMatchObject({ name: 'RetryableError', code: 'STOPPED' });
  });

  it('is a matter for a person when the user is wrong', async () => {
    await createTable();
    const { sink } = create({ ...clickhouse.endpoint, username: 'nobody' });
    expect(await failure(sink, [encode(sink, 1)])).toMatchObject({
      name: 'PermanentError',
      code: '516 AUTHENTICATION_FAILED',
    });
  });

  describe('behind something else', () => {
    let server: Server;
    let answer: (path: string) => { status: number; text: string } | undefined;
    beforeEach(async () => {
      server = createServer((request, response) => {
        request.resume();
        const found = answer(request.url ?? '');
        if (found !== undefined) response.writeHead(found.status).end(found.text);
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
    });
    afterEach(() => {
      server.closeAllConnections();
      server.close();
    });
    const endpoint = (): Endpoint => {
      const { port } = server.address() as { port: number };
      return { ...clickhouse.endpoint, url: `http://127.0.0.1:${port}` };
    };

    it('is tried again after a page of a proxy', async () => {
      answer = () => ({ status: 502, text: '<html>Bad Gateway</html>' });
      const { sink } = create(endpoint());
      expect(await failure(sink, [encode(sink, 1)])).toMatchObject({ name: 'RetryableError', code: 'HTTP' });
    });

    it('is given up at once when the host says so, and after the time of the options', async () => {
      answer = () => undefined;
      const { sink } = create(endpoint(), { request_timeout: '100ms' });
      expect(await failure(sink, [encode(sink, 1)])).toMatchObject({ code: 'TIMEOUT' });
      const abort = new AbortController();
      const patient = create(endpoint()).sink;
      const writing = patient.write([encode(patient, 1)], 'a', abort.signal);
      server.once('request', () => abort.abort());
      await expect(writing).rejects.toMatchObject({ name: 'RetryableError', code: 'ABORTED' });
    });
  });
});
