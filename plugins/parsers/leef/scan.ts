const BLANK = 0x20;
const TAB = 0x09;
const CARRIAGE_RETURN = 0x0d;
const ZERO = 0x30;
const LAST_ASCII = 0x7f;
const WHITE = /\s/;

/** The number that exactly `count` decimal digits stand for, at most 15; -1 where there are not so many. */
export function digitsAt(text: string, from: number, count: number): number {
  let value = 0;
  for (let at = from; at < from + count; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (!(digit >= 0 && digit <= 9)) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** How many decimal digits stand there, at most `max`. */
export function countDigits(text: string, from: number, max: number): number {
  let count = 0;
  while (count < max && digitsAt(text, from + count, 1) !== -1) count += 1;
  return count;
}

/** Behind the blanks (U+0020 only) that stand there. */
export function skipBlanks(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === BLANK) at += 1;
  return at;
}

/** Where the next white space of any kind stands, or the text ends. */
export function wordEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && !isWhite(text.charCodeAt(at))) at += 1;
  return at;
}

/** Whether a UTF-16 unit is what `\s` stands for in a regular expression. */
function isWhite(unit: number): boolean {
  if (unit <= LAST_ASCII) return unit === BLANK || (unit >= TAB && unit <= CARRIAGE_RETURN);
  return WHITE.test(String.fromCharCode(unit));
}
