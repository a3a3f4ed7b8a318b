import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { API_VERSION, defineEventType, definePlugin } from '@activity-gateway/pipeline/api';
import { PluginRegistry } from '@activity-gateway/pipeline/host';
import { plugins } from '../../plugins/index.js';
import type {
  ActivityEvent,
  ActivityQuery,
  ActivitySummary,
} from '../../apps/ingest-gateway/src/clickhouse/types.js';
import { startTestClickHouse, type TestClickHouse } from '../support/clickhouse.js';
import { FakeClickHouse, startControlPlane, type TestControlPlane } from '../support/control-plane.js';

/** All that a plugin says of what it makes: the rest of the program has to follow. */
const doorEvents = defineEventType({
  name: 'door_events',
  aliases: ['Door'],
  fields: {
    opened_at: { kind: 'time' },
    door: { kind: 'keyword' },
    badge: { kind: 'text' },
    extra: { kind: 'text' },
  },
  storage: { time: 'opened_at', orderBy: ['door'], indexes: { badge: 'value' } },
  search: { actor: ['badge'], host: ['door'] },
});
const doorParser = definePlugin({
  id: 'parsers.door',
  kind: 'parser',
  apiVersion: API_VERSION,
  stability: 'development',
  summary: 'For tests.',
  configSchema: { type: 'object', additionalProperties: false, properties: {} },
  eventTypes: [doorEvents],
  create: () => ({ apply: () => undefined }),
});

/** Asks a real ClickHouse. */
class AskedClickHouse extends FakeClickHouse {
  override events(query: ActivityQuery): Promise<ActivityEvent[]> {
    return clickhouse.service.events(query);
  }

  override summary(): Promise<ActivitySummary> {
    return clickhouse.service.summary();
  }
}

let clickhouse: TestClickHouse;
let control: TestControlPlane;
beforeAll(async () => {
  const eventTypes = new PluginRegistry([...plugins, doorParser]).eventTypes();
  clickhouse = await startTestClickHouse({ retentionDays: 33 }, [], eventTypes);
  control = await startControlPlane({}, {}, undefined, { eventTypes, clickhouse: new AskedClickHouse() });
  await clickhouse.client.insert({
    table: 'door_events',
    values: [
      { opened_at: '2026-11-20 09:00:00.001', door: 'D1', badge: 'B-17', agent_host: 'AGENT-1' },
      { opened_at: '2026-11-20 09:00:00.002', door: 'D2', badge: 'B-18', agent_host: 'AGENT-1' },
    ],
    format: 'JSONEachRow',
    clickhouse_settings: { async_insert: 0 },
  });
}, 60_000);
afterAll(async () => {
  await control.dispose();
  await clickhouse.stop();
});

async function events(query: string): Promise<Record<string, unknown>[]> {
  const { status, body } = await control.rest('GET', `/api/v1/activity/events?${query}`);
  expect([status, body]).toEqual([200, expect.any(Array)]);
  return body as Record<string, unknown>[];
}

describe('an event type that only its plugin names', () => {
  it('has a table with the retention of events', async () => {
    const [table] = await clickhouse.rows<{ engine_full: string }>(
      "SELECT engine_full FROM system.tables WHERE database = 'activity' AND name = 'door_events'",
    );
    expect(table?.engine_full).toContain('ORDER BY (toStartOfHour(opened_at), door, opened_at)');
    expect(table?.engine_full).toContain('TTL toDateTime(opened_at) + toIntervalDay(33)');
  });

  it.each(['door', 'DOOR', 'Door'])('is a type of the REST API: %s', async (type) => {
    const [newest, ...others] = await events(`type=${type}`);
    expect(newest).toMatchObject({
      type: 'door',
      event_time: '2026-11-20T09:00:00.002Z',
      opened_at: '2026-11-20T09:00:00.002Z',
      badge: 'B-18',
    });
    expect(others).toHaveLength(1);
  });

  it.each([
    ['user=b-17', 1],
    ['host=d2', 1],
    ['host=agent-1', 2],
    ['from=2026-11-20T09:00:00.002Z', 1],
    ['to=2026-11-20T09:00:00.002Z', 1],
    ['host=B-17', 0],
  ])('is found by its search roles: %s', async (query, count) => {
    const found = await events(query);
    expect(found.filter(({ type }) => type === 'door')).toHaveLength(count);
  });

  it('is named where a type is refused, listed by the API document and counted by the summary', async () => {
    const refused = await control.rest('GET', '/api/v1/activity/events?type=window');
    expect(refused).toMatchObject({ status: 400, body: { detail: expect.stringContaining('leef or door') } });
    const { body } = await control.rest('GET', '/api/openapi.json');
    const { schemas } = (body as { components: { schemas: Record<string, object> } }).components;
    expect(schemas).toMatchObject({
      ActivityEvent: { properties: { type: { enum: expect.arrayContaining(['file', 'door']) } } },
      ActivitySummary: {
        properties: { types: { propertyNames: { enum: expect.arrayContaining(['file', 'door']) } } },
      },
    });
    const summary = await control.rest('GET', '/api/v1/activity/summary');
    expect(summary.body).toMatchObject({
      types: {
        file: { events: 0, lastEventTime: null },
        door: { events: 2, lastEventTime: '2026-11-20T09:00:00.002Z' },
      },
    });
  });

  it('is made by defineEventType', () => {
    const eventTypes = [{ name: 'gate_events', fields: {} } as unknown as typeof doorEvents];
    expect(() => new PluginRegistry([{ ...doorParser, eventTypes }])).toThrow(
      expect.objectContaining({ code: 'EVENT_TYPE_INVALID' }),
    );
  });

  it('may have no name that another one has', () => {
    const twice = (change: { name?: string; type?: string }): PluginRegistry => {
      const type = defineEventType({ name: 'gate_events', fields: {}, ...change });
      return new PluginRegistry([...plugins, { ...doorParser, eventTypes: [type] }]);
    };
    expect(() => twice({})).not.toThrow();
    const doubled = expect.objectContaining({ code: 'EVENT_TYPE_DOUBLED' });
    for (const change of [
      { name: 'dead_letters' },
      { name: 'schema_migrations' },
      { type: 'file' },
      { type: 'filesystem' },
    ]) {
      expect(() => twice(change)).toThrow(doubled);
    }
  });
});
