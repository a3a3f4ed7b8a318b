import { describe, expect, it } from '@jest/globals';
import { KnownServers, needsMigration } from './known-servers.js';

const of = (id: string): { id: string; version: string } => ({ id, version: '26.7' });
const checked = (servers: KnownServers, id: string, missing: string[] = []): string => {
  try {
    servers.check(of(id), missing);
    return 'known';
  } catch (error) {
    return needsMigration(error) ? error.code : String(error);
  }
};

describe('KnownServers', () => {
  it('knows every server that was migrated, so that those behind a balancer are migrated once each', () => {
    const servers = new KnownServers();
    expect(checked(servers, 'a')).toBe('CLICKHOUSE_SERVER_CHANGED');
    servers.add(of('a'));
    servers.add(of('b'));
    expect(['a', 'b', 'a', 'c'].map((id) => checked(servers, id))).toEqual([
      'known',
      'known',
      'known',
      'CLICKHOUSE_SERVER_CHANGED',
    ]);
    expect(checked(servers, 'a', ['leef_events'])).toBe('CLICKHOUSE_TABLES_MISSING');
  });

  it('remembers a bounded number', () => {
    const servers = new KnownServers();
    for (let n = 0; n < 65; n += 1) servers.add(of(String(n)));
    expect(checked(servers, '0')).toBe('CLICKHOUSE_SERVER_CHANGED');
    expect(checked(servers, '1')).toBe('known');
  });

  it('waits longer each time where a migration does not help, a minute at most', () => {
    const servers = new KnownServers();
    const waits = Array.from({ length: 20 }, () => servers.nextWait());
    expect(waits[0]).toBeLessThanOrEqual(200);
    expect(waits.slice(-5).every((wait) => wait >= 30_000 && wait <= 60_000)).toBe(true);
  });
});
