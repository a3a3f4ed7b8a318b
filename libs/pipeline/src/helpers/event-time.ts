import { GatewayError, RejectError } from '../api/index.js';
import { missingKey } from './coerce.js';
import type { Keyed } from './arrange.js';
import { utcMidnight } from './utc-midnight.js';

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const DURATION = /^(\d{1,9})(ms|s|m|h|d)$/;

/**
 * A duration as configuration writes it, such as `90s` or `400d`, in ms. Units: ms, s, m, h, d.
 * @throws GatewayError `DURATION_INVALID`
 */
export function parseDuration(text: string): number {
  const match = DURATION.exec(text);
  if (match === null) {
    throw new GatewayError(
      'DURATION_INVALID',
      `"${text}" is not a duration.`,
      'Write a whole number and a unit: ms, s, m, h or d, for example 90s or 400d.',
    );
  }
  return Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 0);
}

/** Options that every parser with event times has. */
export interface EventTimeOptions {
  /** Zero or absent = no limit. */
  readonly max_event_age?: string;
  readonly max_clock_skew: string;
}

/** Properties of a parser's option schema for `EventTimeOptions`. */
export const eventTimeOptions = Object.freeze({
  max_event_age: {
    type: 'string',
    pattern: DURATION.source,
    description:
      'Events older than this when they are received become dead letters; 0d = no limit. A whole number and ms, s, m, h or d. Without it, the retention of the event tables (clickhouse.retention_days); no limit where that means keep.',
  },
  max_clock_skew: {
    type: 'string',
    pattern: DURATION.source,
    default: '1d',
    description:
      'Events further than this in the future when they are received become dead letters. A whole number and ms, s, m, h or d.',
  },
});

/**
 * Event times from here on are not taken: 50 years of retention later, the `DateTime` of a TTL ends and wraps, so that
 * the event would be deleted at once.
 */
const LATEST = Date.UTC(2056, 0, 1);

/**
 * Which event times are taken: [received - `max_event_age`, received + `max_clock_skew`], never before 1970, never after
 * 2055.
 */
export class EventTimeWindow {
  readonly #maxAgeMs: number;
  readonly #maxSkewMs: number;

  /** @throws GatewayError `DURATION_INVALID` */
  constructor(private readonly options: EventTimeOptions) {
    const ageMs = parseDuration(options.max_event_age ?? '0d');
    this.#maxAgeMs = ageMs === 0 ? Number.POSITIVE_INFINITY : ageMs;
    this.#maxSkewMs = parseDuration(options.max_clock_skew);
  }

  /**
   * The time, if it is inside the window.
   * @param time       ms since 1970-01-01 UTC; NaN = unreadable
   * @param receivedAt ms since 1970-01-01 UTC: the clock
   * @param field      JSON pointer for the reject
   * @throws RejectError `bad_time` | `event_too_old` | `event_in_future`
   */
  check(time: number, receivedAt: number, field: string): number {
    if (Number.isNaN(time)) throw badTime(field);
    if (time < receivedAt - this.#maxAgeMs || time < 0) {
      const why = time < 0 ? 'from before 1970' : `older than max_event_age (${this.options.max_event_age})`;
      throw new RejectError('event_too_old', field, `The event is ${why}.`);
    }
    if (time > receivedAt + this.#maxSkewMs || time >= LATEST) {
      const skew = `further in the future than max_clock_skew (${this.options.max_clock_skew})`;
      throw new RejectError(
        'event_in_future',
        field,
        `The event is ${time >= LATEST ? 'from after 2055' : skew}: check the clocks of sender and gateway.`,
      );
    }
    return time;
  }

  /** Reads a time as `parseEventTime` does and checks it. */
  read(value: unknown, receivedAt: number, field: string): number {
    if (typeof value !== 'string') throw badTime(field);
    return this.check(parseEventTime(value), receivedAt, field);
  }

  /**
   * Reads the time under a key, or under its alias where the key is absent or null.
   * @throws RejectError `missing_key`, and as `check`
   */
  readOf(message: Keyed, key: string, alias: string, receivedAt: number): number {
    const value = message[key] ?? undefined;
    if (value !== undefined) return this.read(value, receivedAt, `/${key}`);
    const other = message[alias] ?? undefined;
    if (other === undefined) throw missingKey(`/${key}`);
    return this.read(other, receivedAt, `/${alias}`);
  }
}

function badTime(field: string): RejectError {
  return new RejectError(
    'bad_time',
    field,
    'The time cannot be read; write it as in 2026-11-20T09:15:02.187Z.',
  );
}

/**
 * Reads an ISO 8601 time: `T` or a blank before the time of day, no or up to 9 fraction digits (cut to ms), then `Z`,
 * `+02:00`, `+0200`, `+02` or nothing (UTC). Milliseconds since 1970-01-01 UTC, or NaN when it is none or does not exist.
 * Does the work itself because `Date.parse` takes about ten times as long. Whole numbers only, and no character is asked for
 * beyond the end: the engine then calls a function for each, a quarter more time.
 */
export function parseEventTime(text: string): number {
  const { length } = text;
  if (length < 19 || text.charCodeAt(4) !== DASH || text.charCodeAt(7) !== DASH) return Number.NaN;
  const separator = text.charCodeAt(10);
  if (separator !== UPPER_T && separator !== BLANK && separator !== LOWER_T) return Number.NaN;
  if (text.charCodeAt(13) !== COLON || text.charCodeAt(16) !== COLON) return Number.NaN;
  const century = twoDigits(text, 0);
  const year = twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = twoDigits(text, 17);
  if ((century | year | month | day | hour | minute | second) < 0) return Number.NaN;
  if (hour > 23 || minute > 59 || second > 59) return Number.NaN;
  let at = 19;
  let ms = 0;
  if (at < length && text.charCodeAt(at) === DOT) {
    const end = endOfDigits(text, at + 1, Math.min(length, at + 1 + MAX_FRACTION_DIGITS));
    if (end === at + 1) return Number.NaN;
    ms = millisecondsOf(text, at + 1, end);
    at = end;
  }
  const time =
    utcMidnight(century * 100 + year, month, day) + ((hour * 60 + minute) * 60 + second) * 1000 + ms;
  return at === length ? time : time - offsetMs(text, at);
}

/** What stands after the time of day, as ms east of UTC. */
function offsetMs(text: string, from: number): number {
  const left = text.length - from;
  const sign = text.charCodeAt(from);
  if (left === 1 && (sign === UPPER_Z || sign === LOWER_Z)) return 0;
  if (sign !== PLUS && sign !== DASH) return Number.NaN;
  if (left !== 3 && left !== 5 && left !== 6) return Number.NaN;
  if (left === 6 && text.charCodeAt(from + 3) !== COLON) return Number.NaN;
  const hours = twoDigits(text, from + 1);
  const minutes = left === 3 ? 0 : twoDigits(text, text.length - 2);
  if ((hours | minutes) < 0 || hours > 23 || minutes > 59) return Number.NaN;
  return (hours * 60 + minutes) * (sign === PLUS ? 60_000 : -60_000);
}

/** Digits of a fraction that are taken, of which three count. */
const MAX_FRACTION_DIGITS = 9;
const ZERO = 0x30;
const DASH = 0x2d;
const PLUS = 0x2b;
const COLON = 0x3a;
const DOT = 0x2e;
const BLANK = 0x20;
const UPPER_T = 0x54;
const LOWER_T = 0x74;
const UPPER_Z = 0x5a;
const LOWER_Z = 0x7a;

function endOfDigits(text: string, start: number, limit: number): number {
  let at = start;
  while (at < limit && isDigit(text.charCodeAt(at) - ZERO)) at += 1;
  return at;
}

/** A fraction of a second as ms, cut. */
function millisecondsOf(text: string, start: number, end: number): number {
  let ms = 0;
  for (let at = start; at < start + 3; at += 1) ms = ms * 10 + (at < end ? text.charCodeAt(at) - ZERO : 0);
  return ms;
}

function isDigit(value: number): boolean {
  return value >= 0 && value <= 9;
}

/** The number that two digits are; negative when they are none. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return isDigit(tens) && isDigit(ones) ? tens * 10 + ones : -1;
}
