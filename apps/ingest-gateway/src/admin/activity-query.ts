import type { EventType, JsonSchema } from '@activity-gateway/pipeline/api';
import type { ActivityQuery } from '../clickhouse/types.js';
import { badParameter, parseLimit, parseRange, TIME_HINT } from './parse-time.js';

/** Query of `GET /api/v1/activity/events` as it comes. */
export type RawActivityQuery = Readonly<
  Partial<Record<'type' | 'from' | 'to' | 'user' | 'host' | 'limit', string>>
>;

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;
const MAX_TEXT = 1_024;

/** Schema of `RawActivityQuery`: each parameter at most once. */
export const activityQuerySchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    type: {
      type: 'string',
      description: 'Type of the events, as `ActivityEvent` lists them, or the name that agents have for it.',
    },
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

/**
 * Reads a query about events of these types.
 * @throws GatewayError `BAD_REQUEST`, which names the parameter
 */
export function parseActivityQuery(raw: RawActivityQuery, types: readonly EventType[]): ActivityQuery {
  const range = parseRange(raw);
  const type = parseType(raw.type, types);
  return {
    ...(type !== undefined && { type }),
    ...range,
    ...(raw.user !== undefined && { user: raw.user }),
    ...(raw.host !== undefined && { host: raw.host }),
    limit: parseLimit(raw.limit, DEFAULT_LIMIT, MAX_LIMIT),
  };
}

/** In any case of the letters, by the type's own name or by the agents' (`docs/reference/protocol.md`). */
function parseType(text: string | undefined, types: readonly EventType[]): string | undefined {
  if (text === undefined) return undefined;
  const given = text.toLowerCase();
  const found = types.find(({ type, aliases }) =>
    [type, ...aliases].some((name) => name.toLowerCase() === given),
  );
  if (found === undefined) throw badParameter('type', 'is no type of activity.', typesHint(types));
  return found.type;
}

function typesHint(types: readonly EventType[]): string {
  const names = types.map(({ type }) => type);
  const last = names.pop() ?? '';
  return names.length === 0 ? `Use ${last}.` : `Use ${names.join(', ')} or ${last}.`;
}
