import type { JsonSchema } from '@activity-gateway/pipeline/api';
import type { ActivityQuery, ActivityType } from '../clickhouse/types.js';
import { badParameter, parseLimit, parseRange, TIME_HINT } from './parse-time.js';

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

/** Schema of `RawActivityQuery`: each parameter at most once. */
export const activityQuerySchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    type: { type: 'string', description: TYPES_HINT },
    from: { type: 'string', description: TIME_HINT },
    to: { type: 'string', description: TIME_HINT },
    user: {
      type: 'string',
      minLength: 1,
      maxLength: MAX_TEXT,
      description: 'Part of the name or id of a user, in any case of the letters.',
    },
    host: {
      type: 'string',
      minLength: 1,
      maxLength: MAX_TEXT,
      description: "Monitored host, or the agent's: the whole name, in any case of the letters.",
    },
    limit: { type: 'string', description: `Use an integer from 1 to ${MAX_LIMIT}.` },
  },
};

/** @throws GatewayError `BAD_REQUEST`, which names the parameter */
export function parseActivityQuery(raw: RawActivityQuery): ActivityQuery {
  const range = parseRange(raw);
  const type = parseType(raw.type);
  return {
    ...(type !== undefined && { type }),
    ...range,
    ...(raw.user !== undefined && { user: raw.user }),
    ...(raw.host !== undefined && { host: raw.host }),
    limit: parseLimit(raw.limit, DEFAULT_LIMIT, MAX_LIMIT),
  };
}

function parseType(text: string | undefined): ActivityType | undefined {
  if (text === undefined) return undefined;
  const type = TYPES.get(text.toLowerCase());
  if (type === undefined) throw badParameter('type', 'is no type of activity.', TYPES_HINT);
  return type;
}
