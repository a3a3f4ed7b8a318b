import { describe, expect, it } from '@jest/globals';
import { shippedEventTypes } from '../../../../test/support/clickhouse.js';
import { parseActivityQuery, type RawActivityQuery } from './activity-query.js';

const parse = (query: RawActivityQuery): ReturnType<typeof parseActivityQuery> =>
  parseActivityQuery(query, shippedEventTypes);
const NOON = Date.UTC(2026, 10, 20, 12);

describe('parseActivityQuery', () => {
  it.each([
    ['file', 'file'],
    ['FileSystem', 'file'],
    ['SharePointOnline', 'sharepoint'],
    ['sharepoint', 'sharepoint'],
    ['Copilot', 'copilot'],
    ['Leef', 'leef'],
  ])('reads the type %s', (type, expected) => {
    expect(parse({ type })).toEqual({ type: expected, limit: 100 });
  });

  it.each([
    '2026-11-20T12:00:00Z',
    '2026-11-20T12:00:00.000Z',
    '2026-11-20T12:00',
    '2026-11-20 12:00:00',
    '2026-11-20T13:00:00+01:00',
    '2026-11-20T13:00:00 01:00',
    '2026-11-20T13:00:00+0100',
    String(NOON),
  ])('reads the time %s', (from) => {
    expect(parse({ from }).from).toBe(NOON);
  });

  it('reads a date as its first moment in UTC', () => {
    expect(parse({ to: '2026-11-20' }).to).toBe(Date.UTC(2026, 10, 20));
  });

  it.each([
    { from: '2026-13-01' },
    { from: '20.11.2026' },
    { to: '1e9' },
    { to: 'now' },
    { from: '2', to: '2' },
    { limit: '1.5' },
    { limit: '-1' },
    { type: 'constructor' },
  ])('refuses %j', (query) => {
    expect(() => parse(query)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  });
});
