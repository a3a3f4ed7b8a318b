import type { JsonSchema } from '@activity-gateway/pipeline/api';
import { component, shape, TIME } from '../openapi/component.js';
import type { AuditQuery, StoredAuditEntry, StoredRejection } from '../store/index.js';
import { iso } from './iso.js';
import { parseLimit, parseRange, TIME_HINT } from './parse-time.js';

/** An entry of the audit trail as the API shows it. */
export type AuditView = Omit<StoredAuditEntry, 'at' | 'kind'> & {
  /** ISO 8601, UTC; of what is counted together, the latest time. */
  readonly at: string;
  /** The first time, ISO 8601, UTC. */
  readonly firstAt: string;
  /** How often; more than 1 only for what was rejected. */
  readonly count: number;
};

/** Query of `GET /api/v1/audit` as it comes. */
export type RawAuditQuery = Readonly<Partial<Record<'from' | 'to' | 'action' | 'outcome' | 'limit', string>>>;

/** What the audit trail keeps: `action` of its entries. */
export const auditActions = [
  'agent.add',
  'agent.allow',
  'agent.deny',
  'agent.enroll',
  'agent.remove',
  'api-key.create',
  'api-key.revoke',
  'ban.lift',
  'ban.set',
  'certificate.confirm',
  'dead-letters.replay',
  'enrollment-token.create',
  'enrollment-token.revoke',
  'feature-flag.reset',
  'feature-flag.set',
  'request',
  'retention.apply',
  'setting.reset',
  'setting.set',
] as const;

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

/** Schema of `RawAuditQuery`. */
export const auditQuerySchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    from: { type: 'string', description: `Earliest time, included. ${TIME_HINT}` },
    to: { type: 'string', description: `Latest time, not included. ${TIME_HINT}` },
    action: { enum: auditActions, description: 'Entries of this action only.' },
    outcome: {
      enum: ['ok', 'rejected'],
      description: 'ok: what was done; rejected: what was not. Both by default.',
    },
    limit: {
      type: 'string',
      description: `Use an integer from 1 to ${MAX_LIMIT}; ${DEFAULT_LIMIT} by default.`,
    },
  },
};

/** Schema of `AuditView`. */
export const auditViewSchema = component(
  'AuditEntry',
  shape({
    id: { type: 'string' },
    at: { ...TIME, description: 'When; of what is counted together, the latest time.' },
    firstAt: { ...TIME, description: 'The first time of what is counted together; otherwise as "at".' },
    count: {
      type: 'integer',
      minimum: 1,
      description:
        'How often: what is rejected for one cause from one address is counted together for a day (UTC).',
    },
    action: { enum: auditActions },
    target: {
      type: 'string',
      description:
        'Name of a setting, tables of a retention, id of a key or token, SPKI hash, address, filter of a replay.',
    },
    actor: shape({
      id: { type: 'string', description: 'Id of the API key, "bootstrap", or SPKI hash of the agent.' },
      name: { type: 'string', description: 'Name of the API key, or hostname of the agent.' },
    }),
    from: { type: 'string', description: 'Remote address.' },
    outcome: {
      type: 'string',
      description:
        'ok; the code of the problem; or, for an enrollment, malformed, unknown, revoked, expired or used-up.',
    },
    before: { description: 'What it was; null where there was nothing.' },
    after: { description: 'What it is, or what a replay did; null where there is nothing.' },
  }),
);

/** An entry for the document's examples. */
export const exampleAuditEntry: AuditView = {
  id: '001795166102187-000017-a1b2c3',
  at: '2026-11-20T09:15:02.187Z',
  firstAt: '2026-11-20T09:15:02.187Z',
  count: 1,
  action: 'setting.set',
  target: 'activitymonitor_batch_size',
  actor: { id: 'bootstrap', name: 'bootstrap' },
  from: '127.0.0.1',
  outcome: 'ok',
  before: 100,
  after: 200,
};

/** @throws GatewayError `BAD_REQUEST`, which names the parameter */
export function parseAuditQuery(raw: RawAuditQuery): AuditQuery {
  return {
    ...parseRange(raw),
    ...(raw.action !== undefined && { action: raw.action }),
    limit: parseLimit(raw.limit, DEFAULT_LIMIT, MAX_LIMIT),
  };
}

/** An entry as the API shows it. */
export function toAuditView({ at, kind: _kind, ...entry }: StoredAuditEntry): AuditView {
  return { ...entry, at: iso(at), firstAt: iso(at), count: 1 };
}

/** What was rejected, as the API shows it. */
export function toRejectionView({ at, firstAt, ...rejection }: StoredRejection): AuditView {
  return { ...rejection, at: iso(at), firstAt: iso(firstAt) };
}

/** Entries of both kinds as one list, newest first. */
export function mergeAuditViews(
  done: readonly AuditView[],
  rejected: readonly AuditView[],
  limit: number,
): AuditView[] {
  return [...done, ...rejected].sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0)).slice(0, limit);
}
