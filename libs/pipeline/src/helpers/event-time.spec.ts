import { describe, expect, it } from '@jest/globals';
import { GatewayError, RejectError } from '../api/index.js';
import { EventTimeWindow, parseDuration } from './event-time.js';

const NOON = Date.UTC(2026, 10, 20, 12);
const DAY = 86_400_000;

/** The code a check rejects with. */
function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof RejectError ? `${error.code} ${error.field}` : String(error);
  }
  return 'accepted';
}

describe('parseDuration', () => {
  it.each([
    ['0s', 0],
    ['250ms', 250],
    ['90s', 90_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['400d', 400 * DAY],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '400', 'd', '1.5h', '-1d', '1w', ' 1d', '1 d', '9999999999d'])('refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow(GatewayError);
  });
});

describe('EventTimeWindow', () => {
  const window = new EventTimeWindow({ max_event_age: '10d', max_clock_skew: '1h' });

  it('takes times up to both of its ends', () => {
    expect(window.check(NOON - 10 * DAY, NOON, '/T')).toBe(NOON - 10 * DAY);
    expect(window.check(NOON + 3_600_000, NOON, '/T')).toBe(NOON + 3_600_000);
  });

  it('rejects times outside, with the field', () => {
    expect(codeOf(() => window.check(NOON - 10 * DAY - 1, NOON, '/T'))).toBe('event_too_old /T');
    expect(codeOf(() => window.check(NOON + 3_600_001, NOON, '/T'))).toBe('event_in_future /T');
    expect(codeOf(() => window.check(Number.NaN, NOON, '/T'))).toBe('bad_time /T');
    expect(codeOf(() => window.read(5, NOON, '/T'))).toBe('bad_time /T');
  });

  it('takes nothing from before 1970, however old events may be', () => {
    const wide = new EventTimeWindow({ max_event_age: '999999d', max_clock_skew: '0s' });
    expect(wide.check(0, NOON, '/T')).toBe(0);
    expect(codeOf(() => wide.check(-1, NOON, '/T'))).toBe('event_too_old /T');
  });

  it.each([{}, { max_event_age: '0d' }, { max_event_age: '0s' }])('has no limit with %j', (age) => {
    const open = new EventTimeWindow({ ...age, max_clock_skew: '1h' });
    expect(open.check(0, NOON, '/T')).toBe(0);
    expect(codeOf(() => open.check(-1, NOON, '/T'))).toBe('event_too_old /T');
  });

  it('takes nothing from after 2055: with the longest retention its TTL would wrap into the past', () => {
    const wide = new EventTimeWindow({ max_clock_skew: '99999d' });
    const latest = Date.UTC(2056, 0, 1) - 1;
    expect(wide.check(latest, NOON, '/T')).toBe(latest);
    expect(codeOf(() => wide.check(latest + 1, NOON, '/T'))).toBe('event_in_future /T');
  });

  it('reads a key or its alias, and names the one it read', () => {
    const read = (message: Record<string, unknown>): unknown => window.readOf(message, 'A', 'B', NOON);
    expect(read({ A: '2026-11-20T11:00:00', B: 'x' })).toBe(NOON - 3_600_000);
    expect(read({ A: null, B: '2026-11-20T11:00:00' })).toBe(NOON - 3_600_000);
    expect(codeOf(() => read({ A: 'x', B: '2026-11-20T11:00:00' }))).toBe('bad_time /A');
    expect(codeOf(() => read({ B: 'x' }))).toBe('bad_time /B');
    expect(codeOf(() => read({}))).toBe('missing_key /A');
  });

  it('refuses options that are no durations', () => {
    expect(() => new EventTimeWindow({ max_event_age: 'long', max_clock_skew: '1d' })).toThrow(GatewayError);
  });
});
