import { compileJavaDateFormat, type JavaDateFormat } from './java-date-format.js';
import { toInstant } from './date-fields.js';
import { readIsoTime } from './iso-time.js';
import type { LeefLine } from './leef-line.js';
import { digitsAt } from './scan.js';
import { ZoneOffsets } from './zone-offsets.js';

const EPOCH_SECONDS_DIGITS = 10;
const EPOCH_MS_DIGITS = 13;
/** What `devTime` looks like when no `devTimeFormat` says otherwise. */
const DEFAULT_FORMATS = [
  'MMM dd yyyy HH:mm:ss',
  'MMM dd yyyy HH:mm:ss.SSS',
  'MMM dd yyyy HH:mm:ss z',
  'MMM dd yyyy HH:mm:ss.SSS z',
].map(compileJavaDateFormat);
/** Patterns come from peers; few are ever in use. */
const MAX_FORMATS = 100;

/** Finds the time of LEEF events. */
export class EventTimes {
  readonly #zone: ZoneOffsets;
  readonly #formats = new Map<string, JavaDateFormat>();

  /**
   * @param timeZone IANA name, for times without an offset
   * @throws GatewayError `TIME_ZONE_UNKNOWN`
   */
  constructor(timeZone: string) {
    this.#zone = new ZoneOffsets(timeZone);
  }

  /**
   * `devTime`, else the syslog header's time, else `receivedAt`; ms since 1970-01-01 UTC, NaN when `devTime` cannot be
   * read.
   * @throws RejectError `bad_time_format` for a `devTimeFormat` that is no pattern
   */
  of(line: LeefLine, receivedAt: number): number {
    const devTime = line.values.get('devTime')?.trim();
    if (devTime !== undefined && devTime !== '') {
      return this.#read(devTime, line.values.get('devTimeFormat')?.trim(), receivedAt);
    }
    const time = line.syslog?.time;
    if (time === undefined) return receivedAt;
    if (typeof time === 'number') return time;
    const instant = toInstant(time, this.#zone, receivedAt);
    return Number.isNaN(instant) ? receivedAt : instant;
  }

  #read(devTime: string, pattern: string | undefined, receivedAt: number): number {
    if (devTime.length === EPOCH_MS_DIGITS || devTime.length === EPOCH_SECONDS_DIGITS) {
      const epoch = digitsAt(devTime, 0, devTime.length);
      if (epoch !== -1) return devTime.length === EPOCH_MS_DIGITS ? epoch : epoch * 1000;
    }
    if (pattern === undefined || pattern === '') return this.#readDefault(devTime, receivedAt);
    const fields = this.#format(pattern).parse(devTime);
    return fields === undefined ? Number.NaN : toInstant(fields, this.#zone, receivedAt);
  }

  /** The default forms; an ISO 8601 time is as clear without a pattern. */
  #readDefault(devTime: string, receivedAt: number): number {
    for (const format of DEFAULT_FORMATS) {
      const fields = format.parse(devTime);
      if (fields !== undefined) return toInstant(fields, this.#zone, receivedAt);
    }
    const iso = readIsoTime(devTime) ?? Number.NaN;
    return typeof iso === 'number' ? iso : toInstant(iso, this.#zone, receivedAt);
  }

  #format(pattern: string): JavaDateFormat {
    const known = this.#formats.get(pattern);
    if (known !== undefined) return known;
    // A copy, because a string cut out of a line would keep the whole line in memory.
    const own = Buffer.from(pattern).toString();
    const format = compileJavaDateFormat(own);
    if (this.#formats.size >= MAX_FORMATS) this.#formats.clear();
    this.#formats.set(own, format);
    return format;
  }
}
