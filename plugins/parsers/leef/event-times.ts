import { compileJavaDateFormat, type JavaDateFormat } from './java-date-format.js';
import { toInstant } from './date-fields.js';
import { readIsoTime } from './iso-time.js';
import type { LeefLine } from './leef-line.js';
import { ZoneOffsets } from './zone-offsets.js';

const EPOCH_SECONDS = /^\d{10}$/;
const EPOCH_MS = /^\d{13}$/;
/** What `devTime` looks like when no `devTimeFormat` says otherwise. */
const DEFAULT_FORMAT = compileJavaDateFormat('MMM dd yyyy HH:mm:ss');
const OTHER_DEFAULT_FORMATS = [
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
  #last = DEFAULT_FORMAT;

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
    if (devTime.length === 13 && EPOCH_MS.test(devTime)) return Number(devTime);
    if (devTime.length === 10 && EPOCH_SECONDS.test(devTime)) return Number(devTime) * 1000;
    if (pattern === undefined || pattern === '') return this.#readDefault(devTime, receivedAt);
    const fields = this.#format(pattern).parse(devTime);
    return fields === undefined ? Number.NaN : toInstant(fields, this.#zone, receivedAt);
  }

  /** The default forms; an ISO 8601 time is as clear without a pattern. */
  #readDefault(devTime: string, receivedAt: number): number {
    let fields = DEFAULT_FORMAT.parse(devTime);
    for (let n = 0; fields === undefined && n < OTHER_DEFAULT_FORMATS.length; n += 1) {
      fields = OTHER_DEFAULT_FORMATS[n]?.parse(devTime);
    }
    if (fields !== undefined) return toInstant(fields, this.#zone, receivedAt);
    const iso = readIsoTime(devTime) ?? Number.NaN;
    return typeof iso === 'number' ? iso : toInstant(iso, this.#zone, receivedAt);
  }

  /** Mostly it is the one of the line before: comparing two texts takes half as long as finding one in a map. */
  #format(pattern: string): JavaDateFormat {
    if (pattern === this.#last.pattern) return this.#last;
    this.#last = this.#formats.get(pattern) ?? this.#compile(pattern);
    return this.#last;
  }

  #compile(pattern: string): JavaDateFormat {
    // A copy, because a string cut out of a line would keep the whole line in memory.
    const own = Buffer.from(pattern).toString();
    const format = compileJavaDateFormat(own);
    if (this.#formats.size >= MAX_FORMATS) this.#formats.clear();
    this.#formats.set(own, format);
    return format;
  }
}
