import { RejectError } from '@activity-gateway/pipeline/api';
import type { DateFields } from './date-fields.js';
import { fieldReader, isNumeric, type Reader } from './date-readers.js';

/** A compiled pattern of Java's SimpleDateFormat. */
export interface JavaDateFormat {
  /** The fields of a text; `undefined` when the text does not fit the pattern. */
  parse(text: string): DateFields | undefined;
}

/** Longer patterns are refused: no date needs one. */
const MAX_PATTERN_LENGTH = 64;
const BLANK = 0x20;
const TAB = 0x09;
/** A quoted text ('' is a quote), a run of one letter, blanks, or any other character. */
const TOKEN = /'((?:[^']|'')*)'|([A-Za-z])\2*|\s+|[^']/gy;

/**
 * Compiles a pattern of Java's SimpleDateFormat. Letters: `y` year, `M` `L` month (three or more: English name), `d` day,
 * `H` `k` `h` `K` hour, `m` `s` minute and second, `S` ms, `a` AM/PM, `E` day's name (not looked at), `z` `Z` `X` zone, and a `T` that
 * somebody forgot to quote. Texts are read as Java's parser does, but strictly: no 30 February, nothing left over.
 * @throws RejectError `bad_time_format`
 */
export function compileJavaDateFormat(pattern: string): JavaDateFormat {
  if (pattern.length > MAX_PATTERN_LENGTH) throw badFormat('is too long');
  const tokens = tokenize(pattern);
  const letters = new Set(tokens.map((token) => token.letter));
  if (!letters.has('d') || !(letters.has('M') || letters.has('L'))) throw badFormat('has no day or no month');
  const readers = tokens.map((token, index) => readerOf(token, tokens[index + 1]));
  return { parse: (text) => runReaders(readers, text) };
}

interface Token {
  /** The pattern letter, or the empty string for literal text. */
  readonly letter: string;
  /** The literal text, or the run of the letter. */
  readonly text: string;
}

function tokenize(pattern: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < pattern.length) {
    const match = TOKEN.exec(pattern);
    if (match === null) throw badFormat('has a quote without its end');
    const [text, quoted, letter] = match;
    if (quoted !== undefined) {
      tokens.push({ letter: '', text: quoted === '' ? "'" : quoted.replaceAll("''", "'") });
    } else if (letter === undefined || text === 'T') {
      tokens.push({ letter: '', text });
    } else {
      tokens.push({ letter, text });
    }
  }
  return tokens;
}

function readerOf(token: Token, next: Token | undefined): Reader {
  if (token.letter === '') return literalReader(token.text);
  const adjacent = next !== undefined && isNumeric(next.letter, next.text.length);
  const reader = fieldReader(token.letter, token.text.length, adjacent);
  if (reader === undefined) throw badFormat('has a letter that is not supported');
  return reader;
}

/** Blanks of the pattern stand for one or more blanks of the text. */
function literalReader(literal: string): Reader {
  if (literal.trim() === '') {
    return (text, at) => {
      const end = skipBlanks(text, at);
      return end > at ? end : -1;
    };
  }
  if (literal.length === 1) {
    const code = literal.charCodeAt(0);
    return (text, at) => (text.charCodeAt(at) === code ? at + 1 : -1);
  }
  return (text, at) => (text.startsWith(literal, at) ? at + literal.length : -1);
}

function runReaders(readers: readonly Reader[], text: string): DateFields | undefined {
  const fields: DateFields & { pm: boolean | undefined } = {
    year: undefined,
    month: 1,
    day: 1,
    hour: 0,
    minute: 0,
    second: 0,
    ms: 0,
    zone: undefined,
    pm: undefined,
  };
  let at = 0;
  for (const read of readers) {
    at = read(text, at, fields);
    if (at === -1) return undefined;
  }
  if (skipBlanks(text, at) < text.length) return undefined;
  if (fields.pm === true && fields.hour < 12) fields.hour += 12;
  else if (fields.pm === false && fields.hour === 12) fields.hour = 0;
  return fields;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === BLANK || text.charCodeAt(at) === TAB) at += 1;
  return at;
}

function badFormat(what: string): RejectError {
  return new RejectError(
    'bad_time_format',
    '/devTimeFormat',
    `The time format ${what}; write a pattern of Java's SimpleDateFormat, such as yyyy-MM-dd HH:mm:ss.SSS.`,
  );
}
