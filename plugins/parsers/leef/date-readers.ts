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
const WORD = /[A-Za-z]+\.?/y;
/** A number is at most this long where the pattern does not say where it ends. */
const MAX_DIGITS = 9;
const BLANK = 0x20;
const ZERO = 0x30;

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
    const end = digitsEnd(text, start, digits);
    if (end === start) return -1;
    fields[field] = Number(text.slice(start, end));
    return fields[field] >= min && fields[field] <= max ? end : -1;
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
    const year = Number(text.slice(at, end));
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
    fields.ms = Number(text.slice(at, Math.min(end, at + 3)));
    return end;
  };
}

function readMonthName(text: string, at: number, fields: DateFields): number {
  const end = wordEnd(text, at);
  if (end === -1) return -1;
  const name = text.slice(at, end).replace('.', '').toLowerCase();
  if (name.length < 3) return -1;
  const index = MONTHS.findIndex((month) => month === name || (month.startsWith(name) && name.length <= 4));
  fields.month = index + 1;
  return index === -1 ? -1 : end;
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

function wordEnd(text: string, at: number): number {
  WORD.lastIndex = at;
  return WORD.test(text) ? WORD.lastIndex : -1;
}

/** Numbers may be padded with blanks, as the day is in syslog. */
function skipPadding(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === BLANK) at += 1;
  return at;
}

function digitsEnd(text: string, from: number, max: number): number {
  let at = from;
  while (at - from < max && text.charCodeAt(at) - ZERO >= 0 && text.charCodeAt(at) - ZERO <= 9) at += 1;
  return at;
}
