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

/** Days of the year before each month, counted from March, so that the leap day comes last; January and February end it. */
const DAYS_BEFORE = [306, 337, 0, 31, 61, 92, 122, 153, 184, 214, 245, 275];
const DAYS_IN = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
/** From 1 March of the year 0 to 1970-01-01. */
const EPOCH_DAYS = 719_468;
const DAY_MS = 86_400_000;

/**
 * The start of a day in ms since 1970-01-01 UTC (Gregorian calendar); NaN when there is no such day, or one of the
 * numbers is NaN. `Date.UTC` takes longer, and any day for another one.
 * @param year  0 to 9999
 * @param month 1 to 12
 */
export function utcMidnight(year: number, month: number, day: number): number {
  // Written so that NaN fails too.
  if (!(year >= 0 && day >= 1 && day <= (DAYS_IN[month - 1] ?? 0))) return Number.NaN;
  if (month === 2 && day === 29 && !isLeap(year)) return Number.NaN;
  const from = month < 3 ? year - 1 : year;
  const leapDays = Math.floor(from / 4) - Math.floor(from / 100) + Math.floor(from / 400);
  return (from * 365 + leapDays + (DAYS_BEFORE[month - 1] ?? 0) + day - 1 - EPOCH_DAYS) * DAY_MS;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/**
 * Reads an ISO 8601 time: `T` or a blank before the time of day, no or up to 9 fraction digits (cut to ms), then `Z`,
 * `+02:00`, `+0200`, `+02` or nothing (UTC). Milliseconds since 1970-01-01 UTC, or NaN when it is none or does not exist.
 * Reads in whole numbers only, and asks for no character beyond the end: the engine would call a function for each.
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
