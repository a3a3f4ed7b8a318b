import { RejectError } from '@app/pipeline/api';

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

/**
 * Splits the attributes at the delimiter, and each at its first `=`. No escapes exist; blanks round a key are dropped.
 * @throws RejectError `bad_attributes` when nothing between the delimiters is an attribute, or when the delimiter does
 *   not occur and blanks were evidently meant
 */
export function readAttributes(text: string, delimiter: string): LeefAttributes {
  const values = new Map<string, string>();
  let duplicates: Map<string, string[]> | undefined;
  let unparsed: string[] | undefined;
  const pieces = text.split(delimiter);
  if (pieces.length === 1 && delimiter !== ' ' && hasBlanksForDelimiter(text)) throw badAttributes();
  for (const piece of pieces) {
    const equals = piece.indexOf('=');
    const key = piece.slice(0, Math.max(equals, 0)).trim();
    if (key === '') {
      if (piece.trim() !== '') (unparsed ??= []).push(piece);
      continue;
    }
    const value = piece.slice(equals + 1);
    const first = values.get(key);
    if (first === undefined) {
      values.set(key, value);
      continue;
    }
    duplicates ??= new Map();
    const all = duplicates.get(key);
    if (all === undefined) duplicates.set(key, [first, value]);
    else all.push(value);
  }
  if (values.size === 0 && unparsed !== undefined) throw badAttributes();
  return { values, duplicates, unparsed };
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

function badAttributes(): RejectError {
  return new RejectError(
    'bad_attributes',
    '',
    'The LEEF attributes must be key=value, separated by the delimiter of the line (a tab unless LEEF 2.0 says otherwise).',
    'parse',
  );
}
