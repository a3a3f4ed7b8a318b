import { GatewayError, type JsonSchema } from '@activity-gateway/pipeline/api';
import type { ApiKeyOptions, CreatedApiKey, Role } from '../api-keys/index.js';
import { component, shape, TIME, TIME_OR_NULL } from '../openapi/component.js';
import type { StoredApiKey } from '../store/index.js';
import { iso, isoOrNull } from './iso.js';
import { readTime, TIME_HINT } from './parse-time.js';

/** A key without its secret. Times are ISO 8601, UTC. */
export interface ApiKeyView {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
  readonly expiresAt: string | null;
}

/** A key as it is shown once. */
export interface NewApiKeyView extends ApiKeyView {
  readonly key: string;
}

/** Body of `POST /api/v1/api-keys`. */
export interface CreateApiKeyBody {
  readonly name: string;
  readonly role: Role;
  readonly expiresAt?: string;
}

/** Schema of `CreateApiKeyBody`. */
export const createApiKeySchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'role'],
  properties: {
    name: {
      type: 'string',
      pattern: '^[^\\p{C}]{1,100}$',
      description: 'Who or what uses it: 1 to 100 characters, no control characters.',
    },
    role: { enum: ['admin', 'viewer'], description: 'admin changes, viewer reads only.' },
    expiresAt: { type: 'string', description: `End of the key; never by default. ${TIME_HINT}` },
  },
};

const FIELDS = {
  id: { type: 'string', description: 'Names the key without giving it away.' },
  name: { type: 'string' },
  role: { enum: ['admin', 'viewer'] },
  createdAt: TIME,
  lastUsedAt: { ...TIME_OR_NULL, description: 'To the minute.' },
  expiresAt: TIME_OR_NULL,
} as const;

/** Schema of `ApiKeyView`. */
export const apiKeyViewSchema = component('ApiKey', shape(FIELDS));

/** Schema of `NewApiKeyView`. */
export const newApiKeyViewSchema = component(
  'NewApiKey',
  shape({
    key: {
      type: 'string',
      pattern: '^nak1\\.[A-Za-z0-9_-]{43}$',
      description: 'What goes into the Authorization header. It is shown this once.',
    },
    ...FIELDS,
  }),
);

/** A key for the document's examples. */
export const exampleApiKey: ApiKeyView = {
  id: '9c1d5e0f7a2b4c68',
  name: 'monitoring',
  role: 'viewer',
  createdAt: '2026-11-20T09:15:00.000Z',
  lastUsedAt: '2026-11-20T10:00:03.412Z',
  expiresAt: null,
};

/** A key as the API shows it. */
export function toApiKeyView(key: StoredApiKey): ApiKeyView {
  const { id, name, role, createdAt, lastUsedAt, expiresAt } = key;
  return {
    id,
    name,
    role,
    createdAt: iso(createdAt),
    lastUsedAt: isoOrNull(lastUsedAt),
    expiresAt: isoOrNull(expiresAt),
  };
}

/** A new key as the API shows it, once. */
export function toNewApiKeyView({ key, stored }: CreatedApiKey): NewApiKeyView {
  return { key, ...toApiKeyView(stored) };
}

/** @throws GatewayError `BAD_REQUEST` when the end is no time */
export function toApiKeyOptions({ name, role, expiresAt }: CreateApiKeyBody): ApiKeyOptions {
  if (expiresAt === undefined) return { name, role };
  const time = readTime(expiresAt);
  if (time === undefined) {
    throw new GatewayError('BAD_REQUEST', 'The field "expiresAt" is no time.', TIME_HINT);
  }
  return { name, role, expiresAt: time };
}
