import { GatewayError } from '@activity-gateway/pipeline/api';

/** What a time in a request may look like, for people. */
export const TIME_HINT = 'Use ISO 8601, such as 2026-11-20T09:15:00Z, or milliseconds since 1970-01-01 UTC.';

/** A date alone is its first moment in UTC; a time without an offset is UTC, as everywhere in the gateway. */
const ISO_TIME = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/i;
const DATE_LENGTH = 10;
const DIGITS = /^-?\d{1,15}$/;
/** "+" in a query stands for a blank, and nobody remembers to write "%2B". */
const LOST_PLUS = /^(.*T[\d:.]+) (\d\d:?\d\d)$/i;

/** A time in milliseconds since 1970-01-01 UTC; `undefined` when the text is none. */
export function readTime(text: string): number | undefined {
  if (DIGITS.test(text)) return Number(text);
  const given = text.replace(LOST_PLUS, '$1+$2');
  const match = ISO_TIME.exec(given);
  if (match === null) return undefined;
  const hasZone = match[1] !== undefined || given.length === DATE_LENGTH;
  const time = Date.parse(`${given.replace(' ', 'T')}${hasZone ? '' : 'Z'}`);
  return Number.isNaN(time) ? undefined : time;
}

/**
 * Reads a parameter of a query.
 * @throws GatewayError `BAD_REQUEST`, which names it
 */
export function parseTime(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const time = readTime(text);
  if (time === undefined) throw badParameter(name, 'is no time.', TIME_HINT);
  return time;
}

/**
 * Reads the two ends of a range, the second not included.
 * @throws GatewayError `BAD_REQUEST`, which names the parameter
 */
export function parseRange(raw: { readonly from?: string; readonly to?: string }): {
  readonly from?: number;
  readonly to?: number;
} {
  const from = parseTime('from', raw.from);
  const to = parseTime('to', raw.to);
  if (from !== undefined && to !== undefined && from >= to) {
    throw badParameter('to', 'is not after "from"; "to" itself is not included.', '');
  }
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}

/**
 * Reads how many to give.
 * @throws GatewayError `BAD_REQUEST`
 */
export function parseLimit(text: string | undefined, fallback: number, max: number): number {
  if (text === undefined) return fallback;
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= max) return limit;
  throw badParameter('limit', 'is out of its range.', `Use an integer from 1 to ${max}.`);
}

/** The error for a parameter of a query. */
export function badParameter(name: string, problem: string, hint: string): GatewayError {
  return new GatewayError('BAD_REQUEST', `The parameter "${name}" ${problem} ${hint}`.trimEnd());
}
