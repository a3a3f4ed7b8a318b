/** The second of the last time that was written, and its text without the fraction. */
let lastSecond = NaN;
let lastText = '';

/**
 * A time as ISO 8601 in UTC with ms, as `Date.toISOString` gives it. Events come in the order of their seconds, so that
 * the text of the last second is mostly at hand.
 * @param ms milliseconds since 1970-01-01 UTC
 * @throws RangeError for what is no time
 */
export function isoTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastSecond) {
    lastText = new Date(second * 1000).toISOString().slice(0, -4);
    lastSecond = second;
  }
  return `${lastText}${String(ms - second * 1000).padStart(3, '0')}Z`;
}

/** What JSON has to escape: quotes, backslashes, control characters and, as it may stand alone, any surrogate. */
// eslint-disable-next-line no-control-regex -- they are what is looked for
const ESCAPED = /["\\\u0000-\u001f\ud800-\udfff]/;

/** A text as JSON, as `JSON.stringify` gives it: most texts are short and have nothing to escape. */
export function quoteText(text: string): string {
  if (text === '') return '""';
  return ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`;
}
