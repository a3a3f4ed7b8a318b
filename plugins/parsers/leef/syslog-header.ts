import type { DateFields } from './date-fields.js';
import { readIsoTime } from './iso-time.js';
import { countDigits, digitsAt, skipBlanks, wordEnd } from './scan.js';

/** What stands before a LEEF event when it came through syslog. */
export interface SyslogHeader {
  /** Hostname, or the empty string where the header has none. */
  readonly host: string;
  /** An instant in ms since 1970-01-01 UTC, fields that need a zone, or nothing. */
  readonly time: number | DateFields | undefined;
  /** The message starts here, or later. */
  readonly end: number;
}

/** RFC 5424, 6: version, timestamp, hostname, app name, process id, message id. */
const RFC5424 = /\d{1,2} (-|\d{4}-\d\d-\d\dT\S+) (\S+) \S+ \S+ \S+ /y;
/** The time of RFC 5424 in the place of RFC 3164's. */
const ISO = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*/y;
/** A message that follows the time at once. */
const NO_HOST = /^\uFEFF?LEEF:[12]\.0\|/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MAX_PRI_DIGITS = 3;
const MAX_FRACTION_DIGITS = 9;
const BLANK = 0x20;
const COMMA = 0x2c;
const DOT = 0x2e;
const COLON = 0x3a;
const LESS = 0x3c;
const GREATER = 0x3e;

/** Reads a syslog header, RFC 5424 or RFC 3164 with or without PRI; `undefined` when the text begins with none. */
export function parseSyslogHeader(text: string): SyslogHeader | undefined {
  const start = priEnd(text);
  return (
    (start > 0 ? parseRfc5424(text, start) : undefined) ??
    parseRfc3164(text, start) ??
    parseIso(text, start) ??
    (start > 0 ? { host: '', time: undefined, end: start } : undefined)
  );
}

/** Behind `<134>`; 0 when the text does not begin so. */
function priEnd(text: string): number {
  if (text.charCodeAt(0) !== LESS) return 0;
  const end = 1 + countDigits(text, 1, MAX_PRI_DIGITS);
  return end > 1 && text.charCodeAt(end) === GREATER ? end + 1 : 0;
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

/**
 * RFC 3164, 4.1.2, with the year and the fraction that some senders add: `Nov  3 [2026 ]09:15:02[.187]`. Character by
 * character, because a regular expression with so many groups takes three times as long.
 */
function parseRfc3164(text: string, start: number): SyslogHeader | undefined {
  const month = MONTHS.indexOf(text.slice(start, start + 3)) + 1;
  if (month === 0 || text.charCodeAt(start + 3) !== BLANK) return undefined;
  const dayAt = skipBlanks(text, start + 3);
  const dayEnd = dayAt + countDigits(text, dayAt, 2);
  if (dayEnd === dayAt || text.charCodeAt(dayEnd) !== BLANK) return undefined;
  const year = text.charCodeAt(dayEnd + 5) === BLANK ? digitsAt(text, dayEnd + 1, 4) : -1;
  const at = year === -1 ? dayEnd + 1 : dayEnd + 6;
  const hour = digitsAt(text, at, 2);
  const minute = digitsAt(text, at + 3, 2);
  const second = digitsAt(text, at + 6, 2);
  if (hour === -1 || minute === -1 || second === -1) return undefined;
  if (text.charCodeAt(at + 2) !== COLON || text.charCodeAt(at + 5) !== COLON) return undefined;
  const end = fractionEnd(text, at + 8);
  if (wordEnd(text, end) !== end) return undefined;
  const day = digitsAt(text, dayAt, dayEnd - dayAt);
  const ms = millis(text, at + 8, end);
  return withHost(text, end, {
    year: year === -1 ? undefined : year,
    month,
    day,
    hour,
    minute,
    second,
    ms,
    zone: undefined,
  });
}

/** Behind a dot or a comma and up to nine digits, if they are there. */
function fractionEnd(text: string, at: number): number {
  const sign = text.charCodeAt(at);
  if (sign !== DOT && sign !== COMMA) return at;
  const count = countDigits(text, at + 1, MAX_FRACTION_DIGITS);
  return count === 0 ? at : at + 1 + count;
}

/** The first three digits of a fraction, as ms. */
function millis(text: string, at: number, end: number): number {
  if (end === at) return 0;
  return Number(text.slice(at + 1, Math.min(end, at + 4)).padEnd(3, '0'));
}

function parseIso(text: string, start: number): SyslogHeader | undefined {
  ISO.lastIndex = start;
  const timestamp = ISO.exec(text)?.[0];
  return timestamp === undefined ? undefined : withHost(text, ISO.lastIndex, readIsoTime(timestamp));
}

/** The word after the time is the host, unless it is a tag (`app:`, `app[12]:`) or already the message. */
function withHost(text: string, at: number, time: SyslogHeader['time']): SyslogHeader {
  const start = skipBlanks(text, at);
  const end = wordEnd(text, start);
  const whole = end === text.length || text.charCodeAt(end) === BLANK;
  if (start === at || end === start || !whole || text.charCodeAt(end - 1) === COLON) {
    return { host: '', time, end: at };
  }
  const host = text.slice(start, end);
  return NO_HOST.test(host) ? { host: '', time, end: at } : { host, time, end };
}
