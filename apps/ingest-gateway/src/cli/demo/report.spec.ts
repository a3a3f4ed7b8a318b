import { describe, expect, it } from '@jest/globals';
import { shippedEventTypes } from '../../../../../test/support/clickhouse.js';
import { furtherCommands, makeReport } from './report.js';

const counts = (stored: [string, number][], dead: [string, number][]): never =>
  ({ stored: new Map(stored), deadLetters: new Map(dead) }) as never;

describe('makeReport', () => {
  it('lays the counts out by type and finds them balanced', () => {
    const sent = new Map([
      ['file', 10_000],
      ['leef', 3],
      ['unknown', 2],
    ]);
    const stored = counts(
      [
        ['file', 9_990],
        ['leef', 3],
      ],
      [
        ['file', 10],
        ['unknown', 2],
      ],
    );
    const { text, balanced } = makeReport(sent, stored);
    expect(balanced).toBe(true);
    expect(text.split('\n')).toEqual([
      '  type             sent   stored   dead letters   missing',
      '  file           10,000    9,990             10         0',
      '  sharepoint          0        0              0         0',
      '  copilot             0        0              0         0',
      '  leef                3        3              0         0',
      '  unknown type        2        0              2         0',
      '  total          10,005    9,993             12         0',
      '',
    ]);
  });

  it('is not balanced when only the total is right, or something came twice', () => {
    const sent = new Map([
      ['file', 5],
      ['leef', 5],
    ]);
    const swapped = counts(
      [
        ['file', 4],
        ['leef', 6],
      ],
      [],
    );
    expect(makeReport(sent, swapped).balanced).toBe(false);
  });
});

describe('furtherCommands', () => {
  it('quotes paths that a shell would split', () => {
    const gateway = {
      url: 'http://127.0.0.1:8080',
      accessFile: '/some where/clickhouse.curl',
      keyFile: '/some where/admin.key',
      agentPort: 1514,
      logFile: '/some where/gateway.log',
    };
    const text = furtherCommands(gateway, shippedEventTypes);
    expect(text).toContain(`$(cat '/some where/admin.key')`);
    expect(text).toContain(`--config '/some where/clickhouse.curl'`);
    expect(text).toContain(`--data '/some where/agents'`);
    expect(text).toContain('?type=file&limit=5');
    expect(text).toContain(
      'SELECT operation, count() FROM activity.file_events GROUP BY operation ORDER BY 2 DESC',
    );
    expect(text).toContain(
      'SELECT event_time, user_id, event_type, absolute_url FROM activity.sharepoint_events ORDER BY event_time DESC LIMIT 10',
    );
  });
});
