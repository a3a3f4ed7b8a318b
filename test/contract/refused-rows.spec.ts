import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { deadLetters, type EventType, PartialWriteError, type Sink } from '@activity-gateway/pipeline/api';
import { encodeBatch } from '@activity-gateway/pipeline/helpers';
import { createTestContext, sampleBatch, sampleRecords } from '@activity-gateway/pipeline/testing';
import { replay } from '../../libs/pipeline/src/runtime/replay.js';
import { plugins } from '../../plugins/index.js';
import { clickhouseSink } from '../../plugins/sinks/clickhouse/index.js';
import { startTestClickHouse, type TestClickHouse } from '../support/clickhouse.js';
import { recoverAsHost } from '../support/recover-as-host.js';

const eventTypes: EventType[] = plugins.flatMap((plugin) =>
  plugin.kind === 'parser' && 'eventTypes' in plugin ? [...plugin.eventTypes] : [],
);
const signal = new AbortController().signal;
const RECEIVED_LONG_AGO = "CHECK received_at < toDateTime64('1970-01-02 00:00:00', 3, 'UTC')";

let clickhouse: TestClickHouse;
let sink: Sink;
beforeAll(async () => {
  clickhouse = await startTestClickHouse();
  const context = createTestContext({ id: 'activity/clickhouse', eventTypes: [...eventTypes, deadLetters] });
  context.services.endpoints.set(new Map([['clickhouse', clickhouse.endpoint]]));
  const config = { endpoint: 'clickhouse', compression: false, request_timeout: '30s' };
  sink = clickhouseSink.create(config, context);
}, 60_000);
afterAll(async () => {
  await sink.stop?.(0);
  await clickhouse.stop();
});

interface Letter {
  readonly id: string;
  readonly raw: string;
  readonly destination: string;
  readonly received_at: string;
  readonly agent_spki: string;
  readonly agent_host: string;
  readonly source_ip: string;
}

/** Dead letters as the control plane sends them to a reactor, with an address as it shows it. */
async function letters(): Promise<Letter[]> {
  return clickhouse.rows<Letter>(
    `SELECT * REPLACE (replaceOne(toString(source_ip), '::ffff:', '') AS source_ip) FROM dead_letters WHERE raw_encoding = 'row'`,
  );
}

async function stored(type: EventType): Promise<string[]> {
  const rows = await clickhouse.rows<{ row: string }>(
    `SELECT toString(tuple(* EXCEPT ingest_batch)) AS row FROM ${type.name} ORDER BY row`,
  );
  return rows.map(({ row }) => row);
}

describe.each(eventTypes.map((type) => [type.name, type] as const))(
  'rows of %s that were refused',
  (_, type) => {
    it('are stored by a replay as they would have been', async () => {
      await clickhouse.run(`ALTER TABLE ${type.name} REMOVE TTL`);
      const entry = encodeBatch(sink, sampleBatch(type, sampleRecords(type)), 'gateway/0001/000000000001');
      await sink.write([entry], `first/${type.name}`, signal);
      const wanted = await stored(type);
      await clickhouse.run(`TRUNCATE TABLE ${type.name}`);
      await clickhouse.run('TRUNCATE TABLE dead_letters');

      await clickhouse.run(`ALTER TABLE ${type.name} ADD CONSTRAINT never ${RECEIVED_LONG_AGO}`);
      const refusal = await sink.write([entry], `T/${type.name}`, signal).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(PartialWriteError);
      const why = { refusal: refusal as PartialWriteError, uncertain: false };
      await recoverAsHost(sink, [entry], `T/${type.name}`, why, eventTypes);
      expect(await stored(type)).toEqual([]);
      await clickhouse.run(`ALTER TABLE ${type.name} DROP CONSTRAINT never`);

      const items = (await letters()).map((letter) => ({
        id: letter.id,
        origin: {
          connectionId: 'replay',
          sender: letter.agent_spki,
          senderHost: letter.agent_host,
          sourceIp: letter.source_ip,
        },
        receivedAt: Date.parse(`${letter.received_at.replace(' ', 'T')}Z`),
        raw: letter.raw,
        encoding: 'row' as const,
        destination: letter.destination,
      }));
      const sinks = [{ name: 'clickhouse', plugin: sink }];
      const outcomes = await replay({ source: {}, steps: [], sinks, eventTypes }, items, signal);
      expect(outcomes.filter(({ outcome }) => outcome !== 'replayed')).toEqual([]);
      expect(await stored(type)).toEqual(wanted);
      const again = await replay({ source: {}, steps: [], sinks, eventTypes }, items, signal);
      expect(again.every(({ outcome }) => outcome === 'stored')).toBe(true);
      expect(await stored(type)).toEqual(wanted);
    });
  },
);
