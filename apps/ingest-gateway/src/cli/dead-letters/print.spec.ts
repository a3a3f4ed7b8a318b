import { describe, expect, it } from '@jest/globals';
import type { DeadLetter } from '../../clickhouse/types.js';
import { formatPage, formatReplay, formatSummary } from './print.js';

const letter: DeadLetter = {
  id: '00000000-0000-4000-8000-000000000001',
  received_at: '2026-11-20T09:15:02.187Z',
  agent_spki: 'ab'.repeat(32),
  agent_host: 'FS-AGENT-01',
  source_ip: '10.0.0.7',
  pipeline: 'activity',
  stage: 'validate',
  code: 'missing_key',
  field: '/Path',
  message: 'The key Path is required.',
  raw: '{}',
  raw_encoding: 'utf8',
  destination: '',
  ingest_batch: 'g/1/1',
  replayed_at: null,
  event_type: 'file',
};

describe('what is printed', () => {
  it('of a list', () => {
    expect(formatPage({ deadLetters: [] })).toBe('No dead letters.\n');
    const text = formatPage({
      deadLetters: [letter, { ...letter, replayed_at: letter.received_at }],
      cursor: 'c',
    });
    expect(text.split('\n')).toEqual([
      expect.stringMatching(/^id +received +agent +code +field +message$/),
      expect.stringMatching(
        /^0{8}-\S+ {2}2026-\S+ {2}FS-AGENT-01 {2}missing_key {2}\/Path +The key Path is required\.$/,
      ),
      expect.stringContaining('replayed'),
      'More: --cursor c',
      '',
    ]);
  });

  it('steers no terminal', () => {
    const text = formatPage({
      deadLetters: [{ ...letter, agent_host: '\u001b[2J\u202eevil', message: 'a\nb' }],
    });
    for (const control of ['\u001b', '\u202e']) expect(text).not.toContain(control);
    expect(text.split('\n')).toHaveLength(3);
  });

  it('of a summary and a replay', () => {
    const size = { rows: 1_200, bytes: 4_096 };
    const count = { code: 'late', stage: 'validate', count: 1_200, replayed: 3, first: '', last: '' };
    expect(formatSummary({ total: 1_200, replayed: 3, byCode: [count], size })).toMatch(
      /late \(validate\) +1,200 +3\n +total +1,200 +3\n4,096 bytes on disk\n$/,
    );
    const report = { replayed: 1, alreadyStored: 2, refused: 3, failed: 4, skipped: 5 };
    const problems = [{ code: 'late', message: 'Too late.', count: 3 }];
    expect(formatReplay({ ...report, problems, cursor: 'c' })).toContain(
      '  3 x late: Too late.\nThere may be more: --cursor c\n',
    );
  });
});
