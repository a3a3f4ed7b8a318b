import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RejectError } from '@activity-gateway/pipeline/api';
import { parseLeefLine } from './leef-line.js';
import { parseSyslogHeader } from './syslog-header.js';

const KEY = fc.string({ unit: fc.constantFrom('a', 'B', '9', '_'), minLength: 1, maxLength: 8 });
const VALUE = fc.string({ unit: fc.constantFrom('x', '=', '|', ' ', 'ü', '🙂', '"', '\\') });

describe('parseLeefLine', () => {
  it('gives back what was written, under any delimiter', () => {
    const attributes = fc.dictionary(KEY, VALUE, { minKeys: 2, noNullPrototype: true });
    const delimiter = fc.constantFrom('^', '\t', ';', '§', '\u0001');
    fc.assert(
      fc.property(attributes, delimiter, (sent, by) => {
        const text = Object.entries(sent).map(([key, value]) => `${key}=${value}`);
        const code = by.charCodeAt(0).toString(16);
        for (const field of [by, `x${code}`, `0x${code.padStart(4, '0')}`]) {
          const line = parseLeefLine(`LEEF:2.0|V|P|1|E|${field}|${text.join(by)}`);
          expect(Object.fromEntries(line.values)).toEqual(sent);
          expect(line.duplicates).toBeUndefined();
        }
      }),
    );
  });

  it('refuses any other text with a RejectError and nothing else', () => {
    const piece = fc.constantFrom(
      'LEEF:1.0|',
      'LEEF:2.0|',
      '|',
      '=',
      '\t',
      '<13>',
      '1 ',
      '- ',
      '[a b="',
      ']',
      'x',
      'Nov 20 ',
      '09:15:02 ',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        try {
          parseLeefLine(pieces.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(RejectError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('parseSyslogHeader', () => {
  it.each([
    ['<34>Oct  1 22:14:15 mymachine su: failed', 'mymachine'],
    ['Oct 11 22:14:15.003 10.0.0.1 LEEF:1.0|', '10.0.0.1'],
    ['<165>1 2026-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - text', '192.0.2.1'],
    ['2026-11-20 09:15:02 fs01 LEEF:1.0|', 'fs01'],
    ['<34>Oct 11 22:14:15 LEEF:1.0|', ''],
    ['<34>Oct 11 22:14:15 su[12]: failed', ''],
  ])('finds the host of %s', (text, host) => expect(parseSyslogHeader(text)?.host).toBe(host));

  it.each(['', 'hello', 'LEEF:1.0|V|P|1|E|', 'Okt 11 22:14:15 host'])('finds no header in "%s"', (text) =>
    expect(parseSyslogHeader(text)).toBeUndefined(),
  );
});
