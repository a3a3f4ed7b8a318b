import { RejectError } from '@activity-gateway/pipeline/api';

const HEX = /^(?:0x|x)([0-9a-f]{1,4})$/i;
const TAB = '\t';

/** The delimiter of a line, and where its attributes begin. */
export interface Delimiter {
  readonly delimiter: string;
  readonly from: number;
}

/**
 * Reads the sixth header field of LEEF 2.0: one character, or `x` or `0x` and one to four hex digits; empty or
 * missing, it is the tab.
 * @param start where the sixth field begins; the text's length, or more, when there is nothing
 * @throws RejectError `bad_delimiter`
 */
export function readDelimiter(text: string, start: number): Delimiter {
  const bar = text.indexOf('|', start);
  const end = bar === -1 ? text.length : bar;
  const from = bar === -1 ? text.length : bar + 1;
  if (end <= start) return { delimiter: TAB, from };
  const field = text.slice(start, end);
  const delimiter = field.length === 1 ? field : delimiterOf(field);
  if (delimiter !== undefined) return { delimiter, from };
  // No delimiter holds a `=` beside something else: the field is missing and this is the first attribute.
  if (field.includes('=') || bar === -1) return { delimiter: TAB, from: start };
  throw new RejectError(
    'bad_delimiter',
    '',
    'The delimiter of LEEF 2.0 must be one character, or x or 0x and one to four hex digits.',
    'parse',
  );
}

function delimiterOf(field: string): string | undefined {
  const hex = HEX.exec(field)?.[1];
  if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
  // One character may be two UTF-16 units.
  const [first, second] = field;
  return second === undefined ? first : undefined;
}
