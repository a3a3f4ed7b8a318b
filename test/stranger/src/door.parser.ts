import { API_VERSION, defineEventType, definePlugin, RejectError } from '@activity-gateway/pipeline/api';
import { parserTransform } from '@activity-gateway/pipeline/helpers';

/** Somebody has held a badge to a door. */
export const doorEvents = defineEventType({
  name: 'door_events',
  fields: {
    event_time: { kind: 'time' },
    door: { kind: 'keyword' },
    badge: { kind: 'uint64', nullable: true },
    opened: { kind: 'bool' },
  },
});

interface DoorMessage {
  readonly at: number;
  readonly door: string;
  readonly badge?: number;
  readonly opened: boolean;
}

/** Decodes messages of the door controller into `door_events`. */
export const doorParser = definePlugin<{ readonly ignore_door: string }>({
  id: 'parsers.door',
  kind: 'parser',
  apiVersion: API_VERSION,
  stability: 'beta',
  summary: 'Decodes messages of the door controller into door_events.',
  configSchema: {
    type: 'object',
    additionalProperties: false,
    properties: {
      ignore_door: {
        type: 'string',
        default: 'test',
        description: 'Name of a door whose events are rejected.',
      },
    },
  },
  eventTypes: [doorEvents],
  create: ({ ignore_door: ignored }) =>
    parserTransform<DoorMessage>({
      eventType: doorEvents,
      claims: 'Door',
      schema: {
        type: 'object',
        required: ['at', 'door', 'opened'],
        properties: {
          at: { type: 'integer', minimum: 0, maximum: 4_000_000_000_000 },
          door: { type: 'string', pattern: '^[A-Za-z0-9 -]{1,40}$' },
          badge: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
          opened: { type: 'boolean' },
        },
      },
      decode: ({ at, door, badge = null, opened }) => {
        if (door === ignored)
          throw new RejectError('ignored_door', '/door', 'Events of this door are ignored.');
        return { event_time: at, door, badge, opened };
      },
    }),
});
