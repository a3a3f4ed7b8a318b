import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestClickHouse, type TestClickHouse } from '../../../../test/support/clickhouse.js';
import { converterFor } from './activity-row.js';

let clickhouse: TestClickHouse;
beforeAll(async () => {
  clickhouse = await startTestClickHouse();
  const insert = (table: string, values: object[]): Promise<unknown> =>
    clickhouse.client.insert({
      table,
      values,
      format: 'JSONEachRow',
      clickhouse_settings: { async_insert: 0 },
    });
  const stamps = { received_at: '2026-11-20 10:00:00.000', agent_host: 'AGENT-1', source_ip: '10.0.0.9' };
  await insert('file_events', [
    {
      ...stamps,
      event_time: '2026-11-20 09:00:00.001',
      host: 'FS01',
      user_name: 'CORP\\Älice',
      client_ip: '10.0.0.5',
      file_size: '18446744073709551615',
      bytes_transferred: 12,
      success: true,
      tags: ['a', "b'"],
    },
    { ...stamps, event_time: '2026-11-20 09:00:03.000', host: 'FS02', user_sid: 'S-1-5-21-7' },
  ]);
  await insert('sharepoint_events', [
    { ...stamps, event_time: '2026-11-20 09:00:02.000', user_id: 'alice@corp.example' },
  ]);
  await insert('copilot_events', [
    {
      ...stamps,
      event_time: '2026-11-20 09:00:01.000',
      user_id: 'bob@corp.example',
      client_ip: '2001:db8::1',
      'messages.id': ['m1', 'm2'],
      'messages.size': [1, 2],
      'messages.is_prompt': [true, false],
      'messages.jailbreak': [false, false],
    },
  ]);
  await insert('leef_events', [
    {
      ...stamps,
      event_time: '2026-11-20 09:00:04.000',
      syslog_host: 'fw-1',
      user_name: 'alice',
      attributes: { src: '10.0.0.1', 'k"': 'v' },
      severity: 7,
    },
  ]);
  await insert('dead_letters', [
    { ...stamps, code: 'wrong_type' },
    { ...stamps, code: 'wrong_type' },
    { ...stamps, code: 'missing_key' },
  ]);
}, 60_000);
afterAll(() => clickhouse.stop());

const times = (events: readonly { event_time: string }[]): string[] =>
  events.map((event) => event.event_time);

describe('events', () => {
  it('gives all types, newest first, up to the limit', async () => {
    const events = await clickhouse.service.events({ limit: 4 });
    expect(events.map(({ type }) => type)).toEqual(['leef', 'file', 'sharepoint', 'copilot']);
    expect(times(events)[0]).toBe('2026-11-20T09:00:04.000Z');
  });

  it('shows every column of its table as JSON that people can read', async () => {
    const [, event] = await clickhouse.service.events({ type: 'file', limit: 10 });
    expect(Object.keys(event!).slice(0, 3)).toEqual(['type', 'event_time', 'host']);
    expect(event).toMatchObject({
      type: 'file',
      event_time: '2026-11-20T09:00:00.001Z',
      received_at: '2026-11-20T10:00:00.000Z',
      client_ip: '10.0.0.5',
      source_ip: '10.0.0.9',
      file_size: '18446744073709551615',
      bytes_transferred: 12,
      process_id: null,
      success: true,
      blocked: false,
      tags: ['a', "b'"],
    });
    const [copilot] = await clickhouse.service.events({ type: 'copilot', limit: 1 });
    expect(copilot).toMatchObject({ client_ip: '2001:db8::1', 'messages.size': [1, 2] });
    const [leef] = await clickhouse.service.events({ type: 'leef', limit: 1 });
    expect(leef).toMatchObject({ severity: 7, attributes: { src: '10.0.0.1', 'k"': 'v' } });
  });

  it('takes a period: its start belongs to it, its end does not', async () => {
    const from = Date.parse('2026-11-20T09:00:01.000Z');
    const events = await clickhouse.service.events({ from, to: from + 2_000, limit: 10 });
    expect(times(events)).toEqual(['2026-11-20T09:00:02.000Z', '2026-11-20T09:00:01.000Z']);
  });

  it.each([
    ['älice', 1],
    ['ALICE', 2],
    ['s-1-5-21', 1],
    ["' OR 1=1 --", 0],
    ['%', 0],
    ['\\', 1],
  ])('finds users by a part of the name or id: %s', async (user, count) => {
    expect(await clickhouse.service.events({ user, limit: 10 })).toHaveLength(count);
  });

  it.each([
    ['fs01', 1],
    ['FW-1', 1],
    ['agent-1', 5],
    ['FS0', 0],
  ])('finds hosts by the whole name: %s', async (host, count) => {
    expect(await clickhouse.service.events({ host, limit: 10 })).toHaveLength(count);
  });
});

describe('summary', () => {
  it('counts by type and dead letters by code', async () => {
    expect(await clickhouse.service.summary()).toEqual({
      types: {
        file: { events: 2, lastEventTime: '2026-11-20T09:00:03.000Z' },
        sharepoint: { events: 1, lastEventTime: '2026-11-20T09:00:02.000Z' },
        copilot: { events: 1, lastEventTime: '2026-11-20T09:00:01.000Z' },
        leef: { events: 1, lastEventTime: '2026-11-20T09:00:04.000Z' },
      },
      deadLetters: { total: 3, byCode: { missing_key: 1, wrong_type: 2 } },
    });
  });
});

describe('converterFor', () => {
  it.each([
    ['UInt64', '12', 12],
    ['Nullable(UInt64)', null, null],
    ['UInt64', '9007199254740993', '9007199254740993'],
    ['Array(UInt64)', ['1', '2'], [1, 2]],
    ['IPv6', '::ffff:10.0.0.1', '10.0.0.1'],
    ['Nullable(IPv6)', '2001:db8::1', '2001:db8::1'],
  ])('%s %j', (type, value, shown) => {
    expect(converterFor(type)?.(value)).toEqual(shown);
  });

  it('leaves texts alone that look like numbers', () => {
    expect(converterFor('String')).toBeUndefined();
    expect(converterFor('Map(LowCardinality(String), String)')).toBeUndefined();
  });
});
