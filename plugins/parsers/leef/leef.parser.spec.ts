import { describe, expect, it } from '@jest/globals';
import {
  createTestContext,
  parseLine,
  runGoldenCases,
  validateOptions,
} from '@activity-gateway/pipeline/testing';
import { readEvent } from '@activity-gateway/activity';
import { leefParser } from './index.js';

runGoldenCases(new URL('.', import.meta.url), leefParser, { read: readEvent });

describe('parsers.leef', () => {
  it('refuses a time zone that does not exist, with a hint', () => {
    const options = validateOptions(leefParser, { time_zone: 'Europe/Atlantis' });
    expect(() => leefParser.create(options as never, createTestContext())).toThrow(
      expect.objectContaining({ code: 'TIME_ZONE_UNKNOWN', hint: expect.stringContaining('IANA') }),
    );
  });

  it('keeps formats of peers apart and stays correct over more of them than it caches', () => {
    const parser = leefParser.create(validateOptions(leefParser, {}) as never, createTestContext());
    for (let round = 0; round < 2; round += 1) {
      for (let n = 0; n < 150; n += 1) {
        const line = `LEEF:1.0|A|B|1|E|devTimeFormat='${n}' yyyy-MM-dd\tdevTime=${n} 2026-11-20`;
        const outcome = parseLine(parser, Buffer.from(line), readEvent);
        expect(outcome.kind === 'event' && outcome.event.record?.['event_time']).toBe(Date.UTC(2026, 10, 20));
      }
    }
  });
});
