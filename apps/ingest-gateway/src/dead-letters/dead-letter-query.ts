import { GatewayError, type JsonSchema } from '@activity-gateway/pipeline/api';
import { parseLimit, parseRange, TIME_HINT } from '../admin/parse-time.js';
import type { DeadLetterFilter, DeadLetterPosition } from '../clickhouse/types.js';

/** Filter as it comes in a query. */
export type RawFilter = Readonly<
  Partial<Record<'code' | 'type' | 'stage' | 'pipeline' | 'agent' | 'from' | 'to' | 'replayed', string>>
>;

/** Query of the list. */
export type RawListQuery = RawFilter & Readonly<Partial<Record<'limit' | 'cursor', string>>>;

/** Where something can be refused. */
export const STAGES: readonly string[] = ['frame', 'parse', 'validate', 'sink'];
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;
const text: JsonSchema = { type: 'string', minLength: 1, maxLength: 1_024 };

const filterProperties: Readonly<Record<string, JsonSchema>> = {
  code: { ...text, description: 'Code of the refusal.' },
  type: { ...text, description: 'Type of event, as `ActivityEvent` lists them.' },
  stage: { enum: STAGES, description: `Use ${STAGES.join(', ')}.` },
  pipeline: { ...text, description: 'Name of the pipeline.' },
  agent: { ...text, description: "Use an agent's hostname or the SPKI hash of its key." },
  from: { type: 'string', description: `Earliest receipt, included. ${TIME_HINT}` },
  to: { type: 'string', description: `Latest receipt, not included. ${TIME_HINT}` },
  replayed: { enum: ['true', 'false'], description: 'Use true or false.' },
};

/** Schema of `RawFilter`. */
export const filterSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: filterProperties,
};

/** Schema of `RawListQuery`. */
export const listSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...filterProperties,
    limit: {
      type: 'string',
      description: `Use an integer from 1 to ${MAX_LIMIT}; ${DEFAULT_LIMIT} by default.`,
    },
    cursor: { ...text, description: 'Use the cursor of the answer before.' },
  },
};

/** @throws GatewayError `BAD_REQUEST`, which names the parameter */
export function parseFilter({ from, to, replayed, ...texts }: RawFilter): DeadLetterFilter {
  return {
    ...texts,
    ...parseRange({ from, to }),
    ...(replayed !== undefined && { replayed: replayed === 'true' }),
  };
}

/** @throws GatewayError `BAD_REQUEST`, which names the parameter */
export function parseList({ limit, cursor, ...filter }: RawListQuery): {
  filter: DeadLetterFilter;
  limit: number;
  before?: DeadLetterPosition;
} {
  return {
    filter: parseFilter(filter),
    limit: parseLimit(limit, DEFAULT_LIMIT, MAX_LIMIT),
    ...(cursor !== undefined && { before: readCursor(cursor) }),
  };
}

/** An id as the table gives it, in lower case; `undefined` for any other text. */
export function readId(given: string): string | undefined {
  return UUID.test(given) ? given.toLowerCase() : undefined;
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** A position as a text that means nothing to callers. */
export function writeCursor({ receivedAt, id }: DeadLetterPosition): string {
  return Buffer.from(`${receivedAt}/${id}`).toString('base64url');
}

/** @throws GatewayError `BAD_REQUEST` for what `writeCursor` has not written */
export function readCursor(cursor: string): DeadLetterPosition {
  const [time = '', id = ''] = Buffer.from(cursor, 'base64url').toString().split('/');
  if (!/^-?\d{1,15}$/.test(time) || !UUID.test(id)) {
    throw new GatewayError('BAD_REQUEST', 'The parameter "cursor" is none of an answer.');
  }
  return { receivedAt: Number(time), id };
}
