import { RejectError } from '@activity-gateway/pipeline/api';
import { SeenKeys, type SeenKey } from './seen-keys.js';

/** The attributes of a LEEF line. */
export interface LeefAttributes {
  /** By key, the first value of each, as sent. */
  readonly values: ReadonlyMap<string, string>;
  /** Keys that came more than once, with all their values in order; `undefined` when there are none. */
  readonly duplicates: ReadonlyMap<string, readonly string[]> | undefined;
  /** Pieces between delimiters that have no key; `undefined` when there are none. */
  readonly unparsed: readonly string[] | undefined;
}

const KEY_VALUE = /^[A-Za-z][\w.-]*=/;
/** Keys of IBM's guide that most events have: after a blank they tell that blanks stand for tabs. */
const COMMON_KEY = /\s(?:cat|devTime|devTimeFormat|proto|sev|src|dst|srcPort|dstPort|usrName|identSrc)=/;
const EQUALS = 0x3d;
const TAB = '\t';
const BAR = '|';
/** Attributes of one line; the reading of more would keep other agents waiting. */
const MAX_ATTRIBUTES = 10_000;
/** How far a line without a delimiter is looked at for one that was meant, in characters. */
const MAX_LOOKED_AT = 65_536;
const KEYS = new SeenKeys();

/**
 * Splits the attributes at the delimiter, and each at its first `=`. No escapes exist; blanks round a key are dropped.
 * @param from where the attributes begin in the text
 * @throws RejectError `too_many_values`; `bad_attributes` when nothing between the delimiters is an attribute, or when the delimiter does
 *   not occur and blanks were evidently meant
 */
export function readAttributes(text: string, from: number, delimiter: string): LeefAttributes {
  const read = { values: new Map<string, string>(), duplicates: undefined, unparsed: undefined };
  let bound = text.indexOf(delimiter, from);
  if (bound === -1 && delimiter !== ' ' && hasBlanksForDelimiter(text.slice(from, from + MAX_LOOKED_AT)))
    throw badAttributes();
  let before = KEYS.start;
  let count = 0;
  for (let at = from; ;) {
    count += 1;
    if (count > MAX_ATTRIBUTES) throw tooManyAttributes();
    const end = bound === -1 ? text.length : bound;
    before = readAttribute(text, at, end, before, read);
    if (bound === -1) break;
    at = bound + delimiter.length;
    bound = text.indexOf(delimiter, at);
  }
  if (read.values.size === 0 && read.unparsed !== undefined) throw badAttributes();
  return read;
}

interface Reading {
  readonly values: Map<string, string>;
  duplicates: Map<string, string[]> | undefined;
  unparsed: string[] | undefined;
}

/** Reads one piece between delimiters. Returns its key, or the one before it when it has none. */
function readAttribute(text: string, at: number, end: number, before: SeenKey, read: Reading): SeenKey {
  const guess = before.next;
  if (guess !== undefined && isKeyAt(text, at, end, guess.text)) {
    addValue(read, guess.text, text.slice(at + guess.text.length + 1, end));
    return guess;
  }
  const piece = text.slice(at, end);
  const equals = piece.indexOf('=');
  const name = piece.slice(0, Math.max(equals, 0)).trim();
  if (name === '') {
    if (piece.trim() !== '') (read.unparsed ??= []).push(piece);
    return before;
  }
  const key = KEYS.find(name, before);
  addValue(read, key.text, piece.slice(equals + 1));
  return key;
}

/** Whether a piece begins with a key, which holds no `=`, and its `=`. A key that holds this line's delimiter ends behind `end`. */
function isKeyAt(text: string, at: number, end: number, key: string): boolean {
  const equals = at + key.length;
  return equals < end && text.charCodeAt(equals) === EQUALS && text.startsWith(key, at);
}

function addValue(read: Reading, key: string, value: string): void {
  const first = read.values.get(key);
  if (first === undefined) {
    read.values.set(key, value);
    return;
  }
  read.duplicates ??= new Map();
  const all = read.duplicates.get(key);
  if (all === undefined) read.duplicates.set(key, [first, value]);
  else all.push(value);
}

/**
 * Whether the attributes of a line whose delimiter is the tab are split by bars, as some firewalls do it: no tab follows
 * the header, a bar does, and between bars there are attributes only.
 * @throws RejectError `bad_attributes` for a LEEF 1.0 line that has bars and something else between them: whether they
 *   split attributes or stand in a value cannot be told
 */
export function splitByBars(text: string, from: number, version: '1.0' | '2.0'): boolean {
  const bar = text.indexOf(BAR, from);
  if (bar === -1 || text.includes(TAB, from)) return false;
  const pieces = text.slice(from, from + MAX_LOOKED_AT).split(BAR);
  const all = pieces.every((piece) => piece.trim() === '' || KEY_VALUE.test(piece.trimStart()));
  if (!all && version === '1.0') throw badAttributes();
  return all;
}

/**
 * Whether a line without any delimiter was written with blanks in its place: a well-known key after a blank, or every
 * word of several has the form of an attribute.
 */
function hasBlanksForDelimiter(text: string): boolean {
  if (COMMON_KEY.test(text)) return true;
  const words = text.trim().split(/\s+/);
  return words.length > 1 && words.every((word) => KEY_VALUE.test(word));
}

function tooManyAttributes(): RejectError {
  const message = `A LEEF line has at most ${MAX_ATTRIBUTES} attributes.`;
  return new RejectError('too_many_values', '', message, 'parse');
}

function badAttributes(): RejectError {
  return new RejectError(
    'bad_attributes',
    '',
    'The LEEF attributes must be key=value, separated by the delimiter of the line (a tab unless LEEF 2.0 says otherwise).',
    'parse',
  );
}
