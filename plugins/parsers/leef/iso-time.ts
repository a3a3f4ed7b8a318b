import { parseEventTime } from '@activity-gateway/pipeline/helpers';
import type { DateFields } from './date-fields.js';

const OFFSET = /[+-]\d\d(?::?\d\d)?$/;

/**
 * Reads an ISO 8601 date and time: an instant in ms since 1970-01-01 UTC when it has an offset, its fields when it has
 * none, `undefined` when the text is something else.
 */
export function readIsoTime(text: string): number | DateFields | undefined {
  const time = parseEventTime(text.includes(',') ? text.replace(',', '.') : text);
  if (Number.isNaN(time)) return undefined;
  if (text.endsWith('Z') || text.endsWith('z')) return time;
  // The date ends with what looks like an offset: it is looked for behind it.
  return OFFSET.test(text.slice(10)) ? time : fieldsOf(time);
}

function fieldsOf(local: number): DateFields {
  const date = new Date(local);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    ms: date.getUTCMilliseconds(),
    zone: undefined,
  };
}
