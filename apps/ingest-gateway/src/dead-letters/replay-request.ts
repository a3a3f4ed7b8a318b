import { GatewayError, type JsonSchema } from '@activity-gateway/pipeline/api';
import type { DeadLetterFilter, DeadLetterPosition } from '../clickhouse/types.js';
import { filterSchema, parseFilter, readCursor, readId, type RawFilter } from './dead-letter-query.js';

/** Body of `POST /api/v1/dead-letters/replay`. */
export interface RawReplayRequest {
  readonly filter?: Omit<RawFilter, 'replayed'> & { readonly ids?: readonly string[] };
  readonly limit?: number;
  readonly cursor?: string;
}

/** What is to be replayed. */
export interface ReplayRequest {
  readonly filter: DeadLetterFilter;
  /** Dead letters at most. */
  readonly limit: number;
  readonly after?: DeadLetterPosition;
}

const DEFAULT_LIMIT = 10_000;
const MAX_LIMIT = 100_000;
const MAX_IDS = 1_000;

const { replayed: _replayed, ...filterProperties } = filterSchema['properties'] as Record<string, JsonSchema>;

/** Schema of `RawReplayRequest`. */
export const replaySchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    filter: {
      type: 'object',
      additionalProperties: false,
      properties: {
        ...filterProperties,
        ids: {
          type: 'array',
          items: { type: 'string' },
          minItems: 1,
          maxItems: MAX_IDS,
          description: `Use 1 to ${MAX_IDS} ids of dead letters.`,
        },
      },
      description: 'Which dead letters; all that were not replayed yet by default.',
    },
    limit: {
      type: 'integer',
      minimum: 1,
      maximum: MAX_LIMIT,
      description: `Use an integer from 1 to ${MAX_LIMIT}; ${DEFAULT_LIMIT} by default.`,
    },
    cursor: {
      type: 'string',
      minLength: 1,
      maxLength: 1_024,
      description: 'Use the cursor of the replay before.',
    },
  },
};

/** @throws GatewayError `BAD_REQUEST` */
export function parseReplay({ filter = {}, limit = DEFAULT_LIMIT, cursor }: RawReplayRequest): ReplayRequest {
  const { ids, ...rest } = filter;
  return {
    filter: { ...parseFilter(rest), ...(ids !== undefined && { ids: ids.map(knownId) }) },
    limit,
    ...(cursor !== undefined && { after: readCursor(cursor) }),
  };
}

function knownId(given: string): string {
  const id = readId(given);
  if (id !== undefined) return id;
  throw new GatewayError('BAD_REQUEST', 'The field "filter.ids" has a text that is no id of a dead letter.');
}
