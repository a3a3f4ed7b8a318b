import type { DateFields } from './date-fields.js';
import { readIsoTime } from './iso-time.js';

/** What stands before a LEEF event when it came through syslog. */
export interface SyslogHeader {
  /** Hostname, or the empty string where the header has none. */
  readonly host: string;
  /** An instant in ms since 1970-01-01 UTC, fields that need a zone, or nothing. */
  readonly time: number | DateFields | undefined;
  /** The message starts here, or later. */
  readonly end: number;
}

const PRI = /<\d{1,3}>/y;
/** RFC 5424, 6: version, timestamp, hostname, app name, process id, message id. */
const RFC5424 = /\d{1,2} (-|\d{4}-\d\d-\d\dT\S+) (\S+) \S+ \S+ \S+ /y;
/** RFC 3164, 4.1.2, with the year and the fraction that some senders add. */
const RFC3164 =
  /(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +(\d{1,2}) (?:(\d{4}) )?(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?=\s|$)/y;
/** The time of RFC 5424 in the place of RFC 3164's. */
const ISO = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*/y;
const HOST = / +(\S+)(?= |$)/y;
/** A message that follows the time at once. */
const NO_HOST = /^\uFEFF?LEEF:[12]\.0\|/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Reads a syslog header, RFC 5424 or RFC 3164 with or without PRI; `undefined` when the text begins with none. */
export function parseSyslogHeader(text: string): SyslogHeader | undefined {
  const start = matchEnd(PRI, text, 0) ?? 0;
  return (
    (start > 0 ? parseRfc5424(text, start) : undefined) ??
    parseRfc3164(text, start) ??
    parseIso(text, start) ??
    (start > 0 ? { host: '', time: undefined, end: start } : undefined)
  );
}

function parseRfc5424(text: string, start: number): SyslogHeader | undefined {
  RFC5424.lastIndex = start;
  const match = RFC5424.exec(text);
  if (match === null) return undefined;
  const [, timestamp = '-', host = '-'] = match;
  const end = structuredDataEnd(text, RFC5424.lastIndex);
  if (end === -1) return undefined;
  return { host: host === '-' ? '' : host, time: readIsoTime(timestamp), end };
}

/** End of RFC 5424's structured data, in which `]` may stand inside quotes and `"` after a backslash; -1 without end. */
function structuredDataEnd(text: string, start: number): number {
  if (text[start] === '-') return start + 1;
  let at = start;
  while (text[at] === '[') {
    at = elementEnd(text, at + 1);
    if (at === -1) return -1;
  }
  return at === start ? -1 : at;
}

function elementEnd(text: string, start: number): number {
  let quoted = false;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (character === '\\' && quoted) at += 1;
    else if (character === '"') quoted = !quoted;
    else if (character === ']' && !quoted) return at + 1;
  }
  return -1;
}

function parseRfc3164(text: string, start: number): SyslogHeader | undefined {
  RFC3164.lastIndex = start;
  const match = RFC3164.exec(text);
  if (match === null) return undefined;
  const [, month = '', day, year, hour, minute, second, fraction = ''] = match;
  const time: DateFields = {
    year: year === undefined ? undefined : Number(year),
    month: MONTHS.indexOf(month) + 1,
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    ms: Number(fraction.padEnd(3, '0').slice(0, 3)),
    zone: undefined,
  };
  return withHost(text, RFC3164.lastIndex, time);
}

function parseIso(text: string, start: number): SyslogHeader | undefined {
  ISO.lastIndex = start;
  const timestamp = ISO.exec(text)?.[0];
  return timestamp === undefined ? undefined : withHost(text, ISO.lastIndex, readIsoTime(timestamp));
}

/** The word after the time is the host, unless it is a tag (`app:`, `app[12]:`) or already the message. */
function withHost(text: string, at: number, time: SyslogHeader['time']): SyslogHeader {
  HOST.lastIndex = at;
  const host = HOST.exec(text)?.[1];
  const none = host === undefined || host.endsWith(':') || NO_HOST.test(host);
  return { host: none ? '' : host, time, end: none ? at : HOST.lastIndex };
}

function matchEnd(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
