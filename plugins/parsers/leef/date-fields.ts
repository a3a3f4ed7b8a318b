import { utcMidnight } from '@activity-gateway/pipeline/helpers';
import type { ZoneOffsets } from './zone-offsets.js';

/** A date and time of day as a text gives them, before a time zone makes an instant of them. */
export interface DateFields {
  /** Absent where the text has none, as in an RFC 3164 header. */
  year: number | undefined;
  /** 1 to 12. */
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  ms: number;
  /** ms east of UTC, or a zone; absent where the text names none. */
  zone: number | ZoneOffsets | undefined;
}

/** A time without a year may be this much ahead of our clock, in ms; more means that it is last year's. */
const MAX_AHEAD_MS = 86_400_000;
/** There is a 29 February in any this many years. */
const MAX_YEARS_BACK = 8;

/**
 * The instant that the fields mean, in ms since 1970-01-01 UTC; NaN when there is no such date or time of day.
 * @param zone       taken where the fields have none
 * @param receivedAt ms; fields without a year are of the latest year that puts them at most a day after this instant
 */
export function toInstant(fields: DateFields, zone: ZoneOffsets, receivedAt: number): number {
  if (fields.year !== undefined) return inYear(fields, fields.year, zone);
  const next = new Date(receivedAt).getUTCFullYear() + 1;
  for (let year = next; year > next - MAX_YEARS_BACK; year -= 1) {
    const instant = inYear(fields, year, zone);
    if (instant <= receivedAt + MAX_AHEAD_MS) return instant;
  }
  return Number.NaN;
}

function inYear(fields: DateFields, year: number, zone: ZoneOffsets): number {
  const { month, day, hour, minute, second, ms } = fields;
  // A leap second (60) is read as the first second of the next minute.
  if (!(hour < 24 && minute < 60 && second <= 60 && ms < 1000)) return Number.NaN;
  const local = utcMidnight(year, month, day) + hour * 3_600_000 + minute * 60_000 + second * 1000 + ms;
  if (typeof fields.zone === 'number') return local - fields.zone;
  return (fields.zone ?? zone).toUtc(local);
}
