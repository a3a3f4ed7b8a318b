import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readEvent } from '@activity-gateway/activity';
import { createTestContext, parseLine, runGoldenCases } from '@activity-gateway/pipeline/testing';
import { smbParser } from './index.js';

runGoldenCases(new URL('.', import.meta.url), smbParser, { read: readEvent });

describe('parsers.smb', () => {
  const parser = smbParser.create({ max_event_age: '400d', max_clock_skew: '1d' }, createTestContext());

  it('takes or rejects whatever is sent, and its records have all fields in their order', () => {
    const valid = {
      ActivityType: 'FileSystem',
      TimeLogged: '2026-11-20T09:15:02.187Z',
      Host: 'FS01',
      Operation: 'Read',
      Path: 'D:\\Finance',
      UserSid: 'S-1-5-18',
    };
    const keys = [
      ...Object.keys(smbParser.messageSchema['properties'] as object).filter((key) => key !== 'ActivityType'),
      'Unknown',
    ];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 3 })), (changes) => {
        const outcome = parseLine(parser, Buffer.from(JSON.stringify({ ...valid, ...changes })), readEvent);
        expect(['event', 'reject']).toContain(outcome.kind);
        if (outcome.kind !== 'event') return;
        const record = outcome.event.record ?? {};
        expect(outcome.event.eventType).toBe(smbParser.eventType);
        expect(Object.keys(record)).toEqual(Object.keys(smbParser.eventType.fields));
        expect(Object.values(record)).not.toContain(undefined);
      }),
      { numRuns: 500 },
    );
  });
});
