import { RejectError } from '@app/pipeline/api';

const HEX = /^(?:0x|x)([0-9a-f]{1,4})$/i;
const TAB = '\t';

/**
 * Reads the sixth header field of LEEF 2.0: one character, or `x` or `0x` and one to four hex digits; empty or
 * missing, it is the tab.
 * @param rest the line after the fifth field
 * @throws RejectError `bad_delimiter`
 */
export function splitDelimiter(rest: string): { delimiter: string; attributes: string } {
  const bar = rest.indexOf('|');
  const field = bar === -1 ? rest : rest.slice(0, bar);
  const attributes = bar === -1 ? '' : rest.slice(bar + 1);
  if (field === '') return { delimiter: TAB, attributes };
  const delimiter = delimiterOf(field);
  if (delimiter !== undefined) return { delimiter, attributes };
  // No delimiter holds a `=` beside something else: the field is missing and this is the first attribute.
  if (field.includes('=') || bar === -1) return { delimiter: TAB, attributes: rest };
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
