import { RejectError } from '@activity-gateway/pipeline/api';
import { readAttributes, splitByBars, type LeefAttributes } from './leef-attributes.js';
import { readDelimiter } from './leef-delimiter.js';
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

/** Characters of `LEEF:1.0|`. */
const MARKER_LENGTH = 9;
const ONE = 0x31;
const TWO = 0x32;

/**
 * Takes a LEEF line apart, with or without syslog header. Format: `docs/reference/events.md`, LEEF.
 * @throws RejectError `not_leef` | `bad_header` | `bad_delimiter` | `bad_attributes` | `too_many_values`
 */
export function parseLeefLine(text: string): LeefLine {
  const syslog = text.startsWith('LEEF:') ? undefined : parseSyslogHeader(text);
  const marker = markerAt(text, syslog?.end ?? 0);
  if (marker === -1 || (marker > 0 && syslog === undefined)) {
    throw refusal('not_leef', 'The message is no LEEF event: it does not begin with LEEF:1.0| or LEEF:2.0|.');
  }
  const start = marker + MARKER_LENGTH;
  const vendorEnd = fieldEnd(text, start);
  const productEnd = fieldEnd(text, vendorEnd + 1);
  const versionEnd = fieldEnd(text, productEnd + 1);
  const idEnd = fieldEnd(text, versionEnd + 1);
  const vendor = text.slice(start, vendorEnd);
  const product = text.slice(vendorEnd + 1, productEnd);
  const eventId = text.slice(versionEnd + 1, idEnd);
  if (vendor.trim() === '' || product.trim() === '' || eventId.trim() === '') {
    throw refusal('bad_header', 'The LEEF header must name vendor, product, product version and event id.');
  }
  const version = text.charCodeAt(marker + 5) === TWO ? '2.0' : '1.0';
  const { delimiter, from } =
    version === '2.0' ? readDelimiter(text, idEnd + 1) : { delimiter: '\t', from: idEnd + 1 };
  const split = delimiter === '\t' && splitByBars(text, from, version) ? '|' : delimiter;
  const { values, duplicates, unparsed } = readAttributes(text, from, split);
  return {
    version,
    vendor,
    product,
    productVersion: text.slice(productEnd + 1, versionEnd),
    eventId,
    syslog,
    prefix: marker === 0 ? '' : text.slice(0, marker).trim(),
    values,
    duplicates,
    unparsed,
  };
}

/** Where `LEEF:1.0|` or `LEEF:2.0|` stands first, or -1. */
function markerAt(text: string, from: number): number {
  let at = text.indexOf('LEEF:', from);
  while (at !== -1) {
    const major = text.charCodeAt(at + 5);
    if ((major === ONE || major === TWO) && text.startsWith('.0|', at + 6)) return at;
    at = text.indexOf('LEEF:', at + 1);
  }
  return -1;
}

/** Where a header field ends: at the next bar, or with the line. A field that begins behind the line is empty. */
function fieldEnd(text: string, from: number): number {
  const bar = text.indexOf('|', from);
  return bar === -1 ? text.length : bar;
}

/** A line that breaks the format; its field is the whole message. */
function refusal(code: string, message: string): RejectError {
  return new RejectError(code, '', message, 'parse');
}
