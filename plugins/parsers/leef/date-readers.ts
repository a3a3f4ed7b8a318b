import type { DateFields } from './date-fields.js';
import { readZone } from './zone-names.js';

/** Reads one part of a text into the fields; the position after it, or -1 when the part is not there. */
export type Reader = (text: string, at: number, fields: DateFields & { pm: boolean | undefined }) => number;

type NumericField = 'month' | 'day' | 'hour' | 'minute' | 'second';

const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];
/** Months by the first three letters of their names. */
const MONTH_OF = new Map(MONTHS.map((name, index) => [threeLetters(name, 0), index + 1]));
/** A number is at most this long where the pattern does not say where it ends. */
const MAX_DIGITS = 9;
const BLANK = 0x20;
const DOT = 0x2e;
const ZERO = 0x30;
const LOWER_A = 0x61;
const LOWER_Z = 0x7a;
/** Set in small letters, not in capital ones. */
const SMALL = 0x20;

/** Whether a pattern letter, repeated `count` times, stands for digits only. */
export function isNumeric(letter: string, count: number): boolean {
  return letter !== '' && ('ydHkhKmsS'.includes(letter) || ('ML'.includes(letter) && count < 3));
}

/**
 * The reader of a pattern letter; `undefined` when the letter is not supported.
 * @param count    how often the letter is repeated
 * @param adjacent whether digits of the next field follow at once, so that exactly `count` digits are this one's
 */
export function fieldReader(letter: string, count: number, adjacent: boolean): Reader | undefined {
  const digits = adjacent ? count : MAX_DIGITS;
  switch (letter) {
    case 'y':
      return yearReader(count, digits);
    case 'M':
    case 'L':
      return count < 3 ? numberReader('month', digits, 1, 12) : readMonthName;
    case 'd':
      return numberReader('day', digits, 1, 31);
    case 'H':
      return numberReader('hour', digits, 0, 23);
    case 'k':
      return hourReader(digits, 1, 24, 24);
    case 'h':
      return numberReader('hour', digits, 1, 12);
    case 'K':
      return numberReader('hour', digits, 0, 11);
    case 'm':
      return numberReader('minute', digits, 0, 59);
    case 's':
      return numberReader('second', digits, 0, 60);
    case 'S':
      return fractionReader(digits);
    case 'a':
      return readHalfOfDay;
    case 'E':
      return (text, at) => wordEnd(text, at);
    case 'z':
    case 'Z':
    case 'X':
      return readZoneField;
    default:
      return undefined;
  }
}

function numberReader(field: NumericField, digits: number, min: number, max: number): Reader {
  return (text, at, fields) => {
    const start = skipPadding(text, at);
    let value = 0;
    let end = start;
    for (; end - start < digits; end += 1) {
      const digit = text.charCodeAt(end) - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
    }
    if (end === start) return -1;
    fields[field] = value;
    return value >= min && value <= max ? end : -1;
  };
}

/** An hour counted from 1: the last one stands for 0. */
function hourReader(digits: number, min: number, max: number, zero: number): Reader {
  const read = numberReader('hour', digits, min, max);
  return (text, at, fields) => {
    const end = read(text, at, fields);
    if (fields.hour === zero) fields.hour = 0;
    return end;
  };
}

/** Two letters and two digits: the year of that ending within 80 years back and 20 ahead, as in Java. */
function yearReader(count: number, digits: number): Reader {
  return (text, at, fields) => {
    const end = digitsEnd(text, at, digits);
    if (end === at || end - at > 4) return -1;
    const year = numberOf(text, at, end);
    fields.year = count <= 2 && end - at === 2 ? fullYear(year) : year;
    return end;
  };
}

function fullYear(ending: number): number {
  const latest = new Date().getUTCFullYear() + 20;
  return latest - ((((latest - ending) % 100) + 100) % 100);
}

/** Up to three digits are a number of ms, as in Java; more are a fraction of a second, which is what senders mean. */
function fractionReader(digits: number): Reader {
  return (text, at, fields) => {
    const end = digitsEnd(text, at, digits);
    if (end === at) return -1;
    fields.ms = numberOf(text, at, Math.min(end, at + 3));
    return end;
  };
}

function readMonthName(text: string, at: number, fields: DateFields): number {
  const end = wordEnd(text, at);
  const letters = text.charCodeAt(end - 1) === DOT ? end - 1 - at : end - at;
  if (end === -1 || letters < 3) return -1;
  const month = MONTH_OF.get(threeLetters(text, at));
  if (month === undefined || (letters > 3 && !isMonth(text.slice(at, at + letters), month))) return -1;
  fields.month = month;
  return end;
}

/** Whether a name of more than three letters is a month's, whole or cut to four. */
function isMonth(name: string, month: number): boolean {
  const whole = MONTHS[month - 1] ?? '';
  const lower = name.toLowerCase();
  return lower === whole || (lower.length === 4 && whole.startsWith(lower));
}

/** Three letters as one number, capital or small. */
function threeLetters(text: string, at: number): number {
  const letters = (text.charCodeAt(at) << 16) | (text.charCodeAt(at + 1) << 8) | text.charCodeAt(at + 2);
  return letters | 0x20_20_20;
}

function readHalfOfDay(text: string, at: number, fields: { pm: boolean | undefined }): number {
  const half = text.slice(at, at + 2).toLowerCase();
  if (half !== 'am' && half !== 'pm') return -1;
  fields.pm = half === 'pm';
  return at + 2;
}

function readZoneField(text: string, at: number, fields: DateFields): number {
  const reading = readZone(text, at);
  if (reading === undefined) return -1;
  fields.zone = reading.zone;
  return reading.end;
}

/** Behind letters and a dot that may follow them; -1 when there is no letter. */
function wordEnd(text: string, from: number): number {
  let at = from;
  while (isLetter(text.charCodeAt(at))) at += 1;
  if (at === from) return -1;
  return text.charCodeAt(at) === DOT ? at + 1 : at;
}

function isLetter(code: number): boolean {
  return (code | SMALL) >= LOWER_A && (code | SMALL) <= LOWER_Z;
}

/** Numbers may be padded with blanks, as the day is in syslog. */
function skipPadding(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === BLANK) at += 1;
  return at;
}

function digitsEnd(text: string, from: number, max: number): number {
  let at = from;
  while (at - from < max && isDigit(text.charCodeAt(at))) at += 1;
  return at;
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= ZERO + 9;
}

/** The number that at most nine digits stand for: 3 ns for four of them, 20 when a slice is made a number. */
function numberOf(text: string, from: number, end: number): number {
  let value = 0;
  for (let at = from; at < end; at += 1) value = value * 10 + text.charCodeAt(at) - ZERO;
  return value;
}
