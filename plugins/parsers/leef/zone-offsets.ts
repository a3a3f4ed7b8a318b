import { GatewayError } from '@activity-gateway/pipeline/api';

/** Every change of a zone's offset falls on a quarter of an hour. */
const QUARTER_MS = 900_000;
const MAX_CACHED = 4096;

/** The offsets of one time zone, as the runtime's zone data has them. */
export class ZoneOffsets {
  readonly #format: Intl.DateTimeFormat | undefined;
  readonly #cache = new Map<number, number>();

  /**
   * @param zone IANA name, such as `Europe/Berlin`, or `UTC`
   * @throws GatewayError `TIME_ZONE_UNKNOWN`
   */
  constructor(zone: string) {
    if (zone === 'UTC') return;
    try {
      this.#format = new Intl.DateTimeFormat('en-US', {
        timeZone: zone,
        calendar: 'gregory',
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      });
    } catch (cause) {
      throw new GatewayError(
        'TIME_ZONE_UNKNOWN',
        `There is no time zone "${zone}".`,
        'Use a name of the IANA time zone data, such as Europe/Berlin, or UTC.',
        { cause },
      );
    }
  }

  /**
   * The instant at which clocks of the zone show a local time. Of a time shown twice the first is taken; a time that
   * was skipped is read as if the clocks had not been changed.
   * @param local the local time as if it were UTC, ms since 1970-01-01
   */
  toUtc(local: number): number {
    if (this.#format === undefined || Number.isNaN(local)) return local;
    const before = this.offsetAt(local - 86_400_000);
    const after = this.offsetAt(local + 86_400_000);
    const early = local - before;
    if (before === after || this.offsetAt(early) === before) return early;
    const late = local - after;
    return this.offsetAt(late) === after ? late : early;
  }

  /** ms east of UTC at an instant, given in ms since 1970-01-01 UTC. */
  offsetAt(instant: number): number {
    if (this.#format === undefined) return 0;
    const quarter = Math.floor(instant / QUARTER_MS);
    const known = this.#cache.get(quarter);
    if (known !== undefined) return known;
    const start = quarter * QUARTER_MS;
    const offset = shownAt(this.#format, start) - start;
    if (this.#cache.size >= MAX_CACHED) this.#cache.clear();
    this.#cache.set(quarter, offset);
    return offset;
  }
}

/** What clocks show at an instant, as if it were UTC. */
function shownAt(format: Intl.DateTimeFormat, instant: number): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(instant)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
