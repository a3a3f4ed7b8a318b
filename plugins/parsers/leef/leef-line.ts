import { RejectError } from '@app/pipeline/api';
import { readAttributes, type LeefAttributes } from './leef-attributes.js';
import { splitDelimiter } from './leef-delimiter.js';
import { parseSyslogHeader, type SyslogHeader } from './syslog-header.js';

/** A LEEF line taken apart; all texts as sent. */
export interface LeefLine extends LeefAttributes {
  readonly version: '1.0' | '2.0';
  readonly vendor: string;
  readonly product: string;
  readonly productVersion: string;
  /** The event's signature. */
  readonly eventId: string;
  readonly syslog: SyslogHeader | undefined;
  /** What stood before the marker, without blanks at its ends; the empty string without a header. */
  readonly prefix: string;
}

const MARKER = /LEEF:([12]\.0)\|/g;
/** Fields of the header after the marker that every version has: vendor, product, product version, event id. */
const HEADER_FIELDS = 4;

/**
 * Takes a LEEF line apart, with or without syslog header. Format: `docs/EVENTS.md`, LEEF.
 * @throws RejectError `not_leef` | `bad_header` | `bad_delimiter` | `bad_attributes`
 */
export function parseLeefLine(text: string): LeefLine {
  const syslog = text.startsWith('LEEF:') ? undefined : parseSyslogHeader(text);
  MARKER.lastIndex = syslog?.end ?? 0;
  const marker = MARKER.exec(text);
  if (marker === null || (marker.index > 0 && syslog === undefined)) {
    throw refusal('not_leef', 'The message is no LEEF event: it does not begin with LEEF:1.0| or LEEF:2.0|.');
  }
  const version = marker[1] === '2.0' ? '2.0' : '1.0';
  const { fields, rest } = splitHeader(text, MARKER.lastIndex);
  const [vendor = '', product = '', productVersion = '', eventId = ''] = fields;
  if (vendor.trim() === '' || product.trim() === '' || eventId.trim() === '') {
    throw refusal('bad_header', 'The LEEF header must name vendor, product, product version and event id.');
  }
  const { delimiter, attributes } =
    version === '2.0' ? splitDelimiter(rest) : { delimiter: '\t', attributes: rest };
  const { values, duplicates, unparsed } = readAttributes(attributes, delimiter);
  return {
    version,
    vendor,
    product,
    productVersion,
    eventId,
    syslog,
    prefix: marker.index === 0 ? '' : text.slice(0, marker.index).trim(),
    values,
    duplicates,
    unparsed,
  };
}

/** The header's fields, fewer when the line ends before; and what follows them. */
function splitHeader(text: string, start: number): { fields: string[]; rest: string } {
  const fields: string[] = [];
  let from = start;
  while (fields.length < HEADER_FIELDS) {
    const bar = text.indexOf('|', from);
    if (bar === -1) {
      fields.push(text.slice(from));
      return { fields, rest: '' };
    }
    fields.push(text.slice(from, bar));
    from = bar + 1;
  }
  return { fields, rest: text.slice(from) };
}

/** A line that breaks the format; its field is the whole message. */
function refusal(code: string, message: string): RejectError {
  return new RejectError(code, '', message, 'parse');
}
