import { GatewayError, type JsonSchema } from '@app/pipeline/api';
import type { ActivityQuery, ActivityType } from '../clickhouse/types.js';

/** Query of `GET /api/v1/activity/events` as it comes. */
export type RawActivityQuery = Readonly<
  Partial<Record<'type' | 'from' | 'to' | 'user' | 'host' | 'limit', string>>
>;

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;
const MAX_TEXT = 1_024;

/** Names of the API and, beside them, the agents' own (`docs/PROTOCOL.md`). */
const TYPES = new Map<string, ActivityType>([
  ['file', 'file'],
  ['filesystem', 'file'],
  ['sharepoint', 'sharepoint'],
  ['sharepointonline', 'sharepoint'],
  ['copilot', 'copilot'],
  ['leef', 'leef'],
]);
const TYPES_HINT = 'Use file, sharepoint, copilot or leef.';
/** How a time in a query is written. */
export const TIME_HINT = 'Use ISO 8601, such as 2026-11-20T09:15:00Z, or milliseconds since 1970-01-01 UTC.';

/** Schema of `RawActivityQuery`: each parameter at most once. */
export const activityQuerySchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    type: { type: 'string', description: TYPES_HINT },
    from: { type: 'string', description: TIME_HINT },
    to: { type: 'string', description: TIME_HINT },
    user: { type: 'string', minLength: 1, maxLength: MAX_TEXT },
    host: { type: 'string', minLength: 1, maxLength: MAX_TEXT },
    limit: { type: 'string', description: `Use an integer from 1 to ${MAX_LIMIT}.` },
  },
};

/** @throws GatewayError `BAD_REQUEST`, which names the parameter */
export function parseActivityQuery(raw: RawActivityQuery): ActivityQuery {
  const from = raw.from === undefined ? undefined : parseTime('from', raw.from);
  const to = raw.to === undefined ? undefined : parseTime('to', raw.to);
  if (from !== undefined && to !== undefined && from >= to) {
    throw badParameter('to', 'is not after "from"; "to" itself is not included.', '');
  }
  const type = parseType(raw.type);
  return {
    ...(type !== undefined && { type }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(raw.user !== undefined && { user: raw.user }),
    ...(raw.host !== undefined && { host: raw.host }),
    limit: parseLimit(raw.limit),
  };
}

function parseType(text: string | undefined): ActivityType | undefined {
  if (text === undefined) return undefined;
  const type = TYPES.get(text.toLowerCase());
  if (type === undefined) throw badParameter('type', 'is no type of activity.', TYPES_HINT);
  return type;
}

function parseLimit(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw badParameter('limit', 'is out of its range.', `Use an integer from 1 to ${MAX_LIMIT}.`);
}

/** A date alone is its first moment in UTC; a time without an offset is UTC, as everywhere in the gateway. */
const ISO_TIME = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/i;
const DATE_LENGTH = 10;
const DIGITS = /^-?\d{1,15}$/;
/** "+" in a query stands for a blank, and nobody remembers to write "%2B". */
const LOST_PLUS = /^(.*T[\d:.]+) (\d\d:?\d\d)$/i;

/**
 * A time in a query, in milliseconds since 1970-01-01 UTC.
 * @throws GatewayError `BAD_REQUEST`, which names the parameter
 */
export function parseTime(name: 'from' | 'to', text: string): number {
  if (DIGITS.test(text)) return Number(text);
  const given = text.replace(LOST_PLUS, '$1+$2');
  const iso = ISO_TIME.exec(given);
  const hasZone = iso?.[1] !== undefined || given.length === DATE_LENGTH;
  const time = iso === null ? NaN : Date.parse(`${given.replace(' ', 'T')}${hasZone ? '' : 'Z'}`);
  if (Number.isNaN(time)) throw badParameter(name, 'is no time.', TIME_HINT);
  return time;
}

function badParameter(name: string, problem: string, hint: string): GatewayError {
  return new GatewayError('BAD_REQUEST', `The parameter "${name}" ${problem} ${hint}`.trimEnd());
}
