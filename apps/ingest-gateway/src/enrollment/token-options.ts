import type { JsonSchema } from '@activity-gateway/pipeline/api';

/** What may be asked of a new token; without any of it the token is as the reference defines it. */
export interface TokenOptions {
  /** What administrators call it. */
  readonly name?: string;
  /** Seconds; an hour by default. */
  readonly lifetimeSeconds?: number;
  /** Any number by default. */
  readonly maxUses?: number;
  /** Lets earlier tokens live; false by default. */
  readonly keepOthers?: boolean;
}

const HOUR = 3_600;
const WEEK = 7 * 24 * HOUR;
const MAX_USES = 100_000;

/** Schema of `TokenOptions`. */
export const tokenOptionsSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    name: {
      type: 'string',
      pattern: '^[^\\p{C}]{1,100}$',
      description: 'What you call it: 1 to 100 characters, no control characters.',
      examples: ['Berlin rollout'],
    },
    lifetimeSeconds: {
      type: 'integer',
      minimum: 60,
      maximum: WEEK,
      description: `Seconds for which it can be used, from 60 to ${WEEK}; ${HOUR} by default.`,
      examples: [86_400],
    },
    maxUses: {
      type: 'integer',
      minimum: 1,
      maximum: MAX_USES,
      description: `Enrollments it is good for, from 1 to ${MAX_USES}; any number by default.`,
      examples: [25],
    },
    keepOthers: {
      type: 'boolean',
      description: 'Whether earlier tokens stay valid; false by default.',
      examples: [true],
    },
  },
};

/** How long a token can be used by default, ms. */
export const TOKEN_LIFETIME_MS = HOUR * 1_000;

/** Lifetime of a token with these options, ms. */
export function lifetimeMs({ lifetimeSeconds }: TokenOptions): number {
  return lifetimeSeconds === undefined ? TOKEN_LIFETIME_MS : lifetimeSeconds * 1_000;
}
