import { describe, expect, it } from '@jest/globals';
import { RejectError } from '@activity-gateway/pipeline/api';
import { createTestAgentServices } from '@activity-gateway/activity/testing';
import { createTestContext } from '@activity-gateway/pipeline/testing';
import { namTlsSource } from './index.js';

const source = namTlsSource.create(
  { max_batch_events: 100, max_message_values: 10_000 },
  createTestContext({ services: createTestAgentServices() }),
);

/** Stage and code of the reject of a line; `undefined` when it is an event. */
function rejectOf(line: string | Buffer): string | undefined {
  try {
    source.read?.(Buffer.from(line));
    return undefined;
  } catch (error) {
    if (!(error instanceof RejectError)) throw error;
    return `${error.stage} ${error.code}`;
  }
}

describe('what a replay asks of the source', () => {
  it('reads events as they were received', () => {
    const raw = Buffer.from('{"ActivityType":"FileSystem","Path":"/a"}');
    const event = source.read?.(raw);
    expect(event).toMatchObject({ type: 'FileSystem', value: { Path: '/a' } });
    expect(source.read?.(Buffer.from('LEEF:1.0|V|P|1|42|src=10.0.0.1'))).toMatchObject({ type: 'Leef' });
  });

  it('says why a line is no event', () => {
    const numbers = Array.from({ length: 40_000 }, () => 1);
    expect([
      rejectOf('nonsense'),
      rejectOf('{"a":1}'),
      rejectOf('{"MessageType":"Hello"}'),
      rejectOf(Buffer.concat([Buffer.from('{"ActivityType":"'), Buffer.from([0xff]), Buffer.from('"}')])),
      rejectOf('{"ActivityType":"x","a":1,"a":2}'),
      rejectOf(JSON.stringify({ ActivityType: 'x', numbers })),
    ]).toEqual([
      'frame not_json_or_leef',
      'frame no_message_type',
      'frame no_event',
      'frame no_event',
      'frame repeated_key',
      'frame too_many_values',
    ]);
  });

  it('rejects what no parser takes with a code, a field and a log line that alerts know', () => {
    const { undecoded } = source;
    expect(undecoded).toMatchObject({
      code: 'unknown_activity_type',
      field: '/ActivityType',
      logMessage: 'nam writer: unknown activity type, dropped',
    });
    expect(undecoded?.message('X')).toBe('No parser of this pipeline takes the activity type "X".');
  });
});
