import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RejectError } from '@activity-gateway/pipeline/api';
import { toInstant } from './date-fields.js';
import { compileJavaDateFormat } from './java-date-format.js';
import { ZoneOffsets } from './zone-offsets.js';

const UTC = new ZoneOffsets('UTC');
const RECEIVED = Date.UTC(2026, 10, 20, 12);

function read(pattern: string, text: string): string | undefined {
  const fields = compileJavaDateFormat(pattern).parse(text);
  const instant = fields === undefined ? Number.NaN : toInstant(fields, UTC, RECEIVED);
  return Number.isNaN(instant) ? undefined : new Date(instant).toISOString();
}

describe('compileJavaDateFormat', () => {
  it.each([
    ['MMM dd yyyy HH:mm:ss', 'Nov  3 2026 09:05:06', '2026-11-03T09:05:06.000Z'],
    ['MMM dd yyyy HH:mm:ss', 'november 3 2026 9:5:6', '2026-11-03T09:05:06.000Z'],
    ['MMM dd yyyy HH:mm:ss.SSS', 'Sept. 03 2026 09:05:06.7', '2026-09-03T09:05:06.007Z'],
    ['yyyy-MM-dd HH:mm:ss.SSSSSS', '2026-11-03 09:05:06.123999', '2026-11-03T09:05:06.123Z'],
    ["yyyy-MM-dd'T'HH:mm:ssX", '2026-11-03T09:05:06Z', '2026-11-03T09:05:06.000Z'],
    ['yyyy-MM-ddTHH:mm:ssXXX', '2026-11-03T09:05:06-03:30', '2026-11-03T12:35:06.000Z'],
    ['yyyy-MM-dd HH:mm:ss Z', '2026-11-03 09:05:06 +0200', '2026-11-03T07:05:06.000Z'],
    ['yyyy-MM-dd HH:mm:ss z', '2026-07-03 09:05:06 CEST', '2026-07-03T07:05:06.000Z'],
    ['yyyy-MM-dd HH:mm:ss z', '2026-07-03 09:05:06 Europe/Berlin', '2026-07-03T07:05:06.000Z'],
    ['yyyy-MM-dd HH:mm:ss zzzz', '2026-07-03 09:05:06 Pacific Daylight Time', '2026-07-03T16:05:06.000Z'],
    ['EEEE, d. MMMM yyyy h:mm a', 'Tuesday, 3. November 2026 12:05 am', '2026-11-03T00:05:00.000Z'],
    ['dd.MM.yy KK:mm a', '03.11.26 00:05 PM', '2026-11-03T12:05:00.000Z'],
    ['dd.MM.yy kk:mm', '03.11.99 24:05', '1999-11-03T00:05:00.000Z'],
    ["d 'o''clock' M yyyy '' HH", "3 o'clock 11 2026 ' 09", '2026-11-03T09:00:00.000Z'],
    ['yyyyMMddHHmmss', '20261103090506', '2026-11-03T09:05:06.000Z'],
    ['dd/MMM/yyyy:HH:mm:ss Z', '03/Nov/2026:09:05:06 +0000', '2026-11-03T09:05:06.000Z'],
    ['yyyy-MM-dd', '2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['MMM dd HH:mm', 'Feb 29 09:05', '2024-02-29T09:05:00.000Z'],
    ['MMM dd HH:mm', 'Nov 21 11:00', '2026-11-21T11:00:00.000Z'],
    ['MMM dd HH:mm', 'Nov 21 13:00', '2025-11-21T13:00:00.000Z'],
  ])('%s reads %s', (pattern, text, expected) => expect(read(pattern, text)).toBe(expected));

  it.each([
    ['yyyy-MM-dd', '2026-02-29'],
    ['yyyy-MM-dd', '2026-13-01'],
    ['yyyy-MM-dd', '2026-11-03 and more'],
    ['yyyy-MM-dd', ''],
    ['yyyy-MM-dd HH:mm', '2026-11-03 24:00'],
    ['yyyy-MM-dd hh:mm a', '2026-11-03 13:00 PM'],
    ['yyyy-MM-dd z', '2026-11-03 Nowhere/City'],
    ['yyyy-MM-dd Z', '2026-11-03 +9900'],
    ['dd MMM yyyy', '03 Brumaire 2026'],
    ['yyyyMMdd', '202611'],
  ])('%s does not read %s', (pattern, text) => expect(read(pattern, text)).toBeUndefined());

  it.each(['yyyy-MM-dd Q', 'yyyy', 'HH:mm:ss', "yyyy-MM-dd 'open", '', `MM-dd${' '.repeat(64)}`])(
    'refuses the pattern "%s"',
    (pattern) => expect(() => compileJavaDateFormat(pattern)).toThrow(RejectError),
  );

  it('takes any pattern and text without another error, and in linear time', () => {
    const piece = fc.constantFrom('y', 'M', 'd', 'H', 'm', 's', 'S', 'z', '1', '11', "'1'", ' ', '-', 'E');
    const pattern = fc.array(piece, { maxLength: 60 }).map((pieces) => `M d ${pieces.join('')}`);
    fc.assert(
      fc.property(pattern, fc.string({ unit: fc.constantFrom('1', '0', ' ', 'A', '+', ':') }), (p, text) => {
        try {
          compileJavaDateFormat(p).parse(`${text}1 1 `.repeat(20));
        } catch (error) {
          expect(error).toBeInstanceOf(RejectError);
        }
      }),
    );
  });
});
