import type { EnrollmentToken, TokenInfo } from '../enrollment/index.js';
import { component, shape, TIME } from '../openapi/component.js';
import type { TokenState } from '../store/index.js';
import { iso } from './iso.js';

/** An enrollment token without its secret. Times are ISO 8601, UTC. */
export interface TokenView {
  readonly id: string;
  readonly name: string | null;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly uses: number;
  readonly maxUses: number | null;
  readonly state: TokenState;
}

/** A token as it is shown once. */
export interface NewTokenView extends TokenView {
  readonly token: string;
}

const FIELDS = {
  id: { type: 'string', description: 'Names the token without giving it away.', examples: ['3f9a0c81d2e4'] },
  name: { type: ['string', 'null'], description: 'What it was called.' },
  createdAt: TIME,
  expiresAt: TIME,
  uses: { type: 'integer', minimum: 0, description: 'Enrollments with it so far.' },
  maxUses: { type: ['integer', 'null'], minimum: 1, description: 'Largest number of uses; null = any.' },
  state: { enum: ['live', 'revoked', 'expired', 'used-up'] },
} as const;

/** Schema of `TokenView`. */
export const tokenViewSchema = component('EnrollmentToken', shape(FIELDS));

/** Schema of `NewTokenView`. */
export const newTokenViewSchema = component(
  'NewEnrollmentToken',
  shape({
    token: {
      type: 'string',
      pattern: '^nam1\\.[A-Za-z0-9_-]{43}\\.[0-9a-f]{64}$',
      description: 'Give it to agents over a safe way. It is shown this once.',
    },
    ...FIELDS,
  }),
);

/** A token for the document's examples. */
export const exampleToken: TokenView = {
  id: '3f9a0c81d2e4',
  name: 'Berlin rollout',
  createdAt: '2026-11-20T09:15:00.000Z',
  expiresAt: '2026-11-21T09:15:00.000Z',
  uses: 3,
  maxUses: 25,
  state: 'live',
};

/** A token as the API shows it. */
export function toTokenView({ createdAt, expiresAt, ...facts }: TokenInfo): TokenView {
  const { id, name, uses, maxUses, state } = facts;
  return { id, name, createdAt: iso(createdAt), expiresAt: iso(expiresAt), uses, maxUses, state };
}

/** A new token as the API shows it, once. */
export function toNewTokenView(created: EnrollmentToken): NewTokenView {
  return { token: created.token, ...toTokenView(created) };
}
