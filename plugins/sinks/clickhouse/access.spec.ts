import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { deadLetters, defineEventType, type Sink } from '@activity-gateway/pipeline/api';
import { encodeBatch } from '@activity-gateway/pipeline/helpers';
import { createTestContext, sampleBatch } from '@activity-gateway/pipeline/testing';
import { startTestClickHouse, type TestClickHouse } from '../../../test/support/clickhouse.js';
import { clickhouseSink } from './index.js';

const type = defineEventType({ name: 'things', fields: { event_time: { kind: 'time' } } });
const signal = new AbortController().signal;

let clickhouse: TestClickHouse;
beforeAll(async () => {
  clickhouse = await startTestClickHouse({}, [
    { name: 'writer', password: 'right' },
    { name: 'reader', password: 'right', readonly: 1 },
  ]);
  await clickhouse.run(
    `CREATE TABLE things (event_time DateTime64(3, 'UTC'), received_at DateTime64(3, 'UTC'), agent_spki LowCardinality(String),
  agent_host LowCardinality(String), source_ip IPv6, ingest_batch String) ENGINE = MergeTree ORDER BY event_time
  SETTINGS non_replicated_deduplication_window = 10`,
  );
}, 60_000);
afterAll(() => clickhouse.stop());

function createSink(username: string, password: string): Sink {
  const context = createTestContext({ eventTypes: [type, deadLetters] });
  context.services.endpoints.set(new Map([['clickhouse', { ...clickhouse.endpoint, username, password }]]));
  const config = { endpoint: 'clickhouse', compression: false, request_timeout: '30s' };
  return clickhouseSink.create(config, context);
}

async function write(username: string, password: string): Promise<unknown> {
  const sink = createSink(username, password);
  const entry = encodeBatch(sink, sampleBatch(type, [{ event_time: Date.UTC(2026, 10, 20) }]), 'g/1/1');
  const outcome = await sink.write([entry], `T-${username}`, signal).then(
    () => 'written',
    (error: unknown) => error,
  );
  await sink.stop?.(0);
  return outcome;
}

describe('a user', () => {
  it('with the right password may write', async () => {
    expect(await write('writer', 'right')).toBe('written');
  });

  it.each([
    ['with a wrong password', 'writer', 'wrong', '516 AUTHENTICATION_FAILED'],
    ['who may only read', 'reader', 'right', '164 READONLY'],
    ['who does not exist', 'nobody', '', '516 AUTHENTICATION_FAILED'],
  ])('%s is a matter for a person, and nothing becomes a dead letter', async (_, name, password, code) => {
    const error = await write(name, password);
    expect(error).toMatchObject({ name: 'PermanentError', code });
    expect((error as Error).message).not.toContain('wrong');
    expect(await clickhouse.rows('SELECT 1 FROM dead_letters')).toEqual([]);
  });
});
