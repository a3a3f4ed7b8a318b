import { GatewayError, RejectError } from '../api/index.js';
import { missingKey } from './coerce.js';
import { parseEventTime, type Keyed } from '../fast/index.js';

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
