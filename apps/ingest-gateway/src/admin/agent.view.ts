import type { JsonSchema } from '@activity-gateway/pipeline/api';
import type { AgentTotals } from '../agents/index.js';
import { component, shape, TIME, TIME_OR_NULL } from '../openapi/component.js';
import type { StoredAgent, StoredRefusal } from '../store/index.js';
import { iso, isoOrNull } from './iso.js';

/** An agent as `GET /api/v1/nam-listener/agents` shows it. Times are ISO 8601, UTC. */
export interface AgentView {
  readonly spkiHash: string;
  readonly hostname: string;
  /** Where it enrolled from; empty when it was added by hand. */
  readonly sourceIp: string;
  readonly enrolledAt: string;
  readonly lastSeenAt: string | null;
  readonly agentVersion: string | null;
  /** Whether it has a connection open now. */
  readonly connected: boolean;
  /** Its open connections. */
  readonly connections: number;
  /** Messages from it to this gateway since it was added, over restarts, refused ones included. */
  readonly eventsReceived: number;
  /** Size of those, bytes. */
  readonly bytesReceived: number;
  /** What its certificate says of itself; null until it has sent something. */
  readonly certificate: { readonly subject: string; readonly notAfter: string } | null;
  /** Why its key is too weak to enroll today; null when it is not, or nothing is known of it yet. */
  readonly keyWeakness: string | null;
  /** SPKI hashes of other agents with the same hostname, five at most. */
  readonly hostnameSharedWith: readonly string[];
}

/** A denied key as `GET /api/v1/nam-listener/denied-agents` shows it. */
export interface DeniedAgentView {
  readonly spkiHash: string;
  /** As the agent was last known; empty when it never was. */
  readonly hostname: string;
  readonly deniedAt: string;
}

/** Body of `POST /api/v1/nam-listener/agents`. */
export interface AddAgentBody {
  readonly spkiHash: string;
  readonly hostname: string;
}

/** Schema of `AddAgentBody`; what the texts must look like is the allowlist's own rule. */
export const addAgentSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['spkiHash', 'hostname'],
  properties: { spkiHash: { type: 'string' }, hostname: { type: 'string' } },
};

/** Schema of `AgentView`. */
export const agentViewSchema = component(
  'Agent',
  shape({
    spkiHash: {
      type: 'string',
      pattern: '^[0-9a-f]{64}$',
      description: 'SHA-256 of the public key of its certificate.',
    },
    hostname: { type: 'string' },
    sourceIp: { type: 'string', description: 'Where it enrolled from; empty when it was added by hand.' },
    enrolledAt: TIME,
    lastSeenAt: { ...TIME_OR_NULL, description: 'When it last sent something.' },
    agentVersion: { type: ['string', 'null'], description: 'As it said when it enrolled.' },
    connected: { type: 'boolean', description: 'Whether it has a connection open now.' },
    connections: { type: 'integer', minimum: 0, description: 'Its open connections.' },
    eventsReceived: {
      type: 'integer',
      minimum: 0,
      description:
        'Messages from it to this gateway since it was added, over restarts, refused ones included.',
    },
    bytesReceived: { type: 'integer', minimum: 0, description: 'Size of those, bytes.' },
    certificate: {
      ...shape({ subject: { type: 'string' }, notAfter: TIME }),
      type: ['object', 'null'],
      description: 'What its certificate says of itself; null until it has sent something.',
    },
    keyWeakness: {
      type: ['string', 'null'],
      description:
        'Why its key is too weak to enroll today; null when it is not, or nothing is known of it yet.',
    },
    hostnameSharedWith: {
      type: 'array',
      items: { type: 'string' },
      description: 'SPKI hashes of other agents with the same hostname, five at most.',
    },
  }),
);

/** Schema of `DeniedAgentView`. */
export const deniedAgentSchema = component(
  'DeniedAgent',
  shape({
    spkiHash: {
      type: 'string',
      pattern: '^[0-9a-f]{64}$',
      description: 'SHA-256 of the public key that is refused.',
    },
    hostname: { type: 'string', description: 'As the agent was last known; empty when it never was.' },
    deniedAt: TIME,
  }),
);

/** A denied key for the document's examples. */
export const exampleDenied: DeniedAgentView = {
  spkiHash: 'ab'.repeat(32),
  hostname: 'FS-AGENT-01',
  deniedAt: '2026-11-20T09:30:00.000Z',
};

/** A denied key as the API shows it. */
export function toDeniedView({ spkiHash, hostname, deniedAt }: StoredRefusal): DeniedAgentView {
  return { spkiHash, hostname, deniedAt: iso(deniedAt ?? 0) };
}

/** An agent for the document's examples. */
export const exampleAgent: AgentView = {
  spkiHash: 'ab'.repeat(32),
  hostname: 'FS-AGENT-01',
  sourceIp: '192.0.2.7',
  enrolledAt: '2026-11-20T09:15:00.000Z',
  lastSeenAt: '2026-11-20T09:20:41.903Z',
  agentVersion: '10.0.0',
  connected: true,
  connections: 1,
  eventsReceived: 48_211,
  bytesReceived: 21_405_684,
  certificate: { subject: 'CN=FS-AGENT-01', notAfter: '2027-11-20T00:00:00.000Z' },
  keyWeakness: null,
  hostnameSharedWith: [],
};

/**
 * An agent as the API shows it.
 * @param open               its open connections
 * @param hostnameSharedWith SPKI hashes of other agents with its hostname
 */
export function toAgentView(
  agent: StoredAgent,
  open: number,
  traffic: AgentTotals,
  hostnameSharedWith: readonly string[],
): AgentView {
  const { events, bytes, certificate } = traffic;
  return {
    spkiHash: agent.spkiHash,
    hostname: agent.hostname,
    sourceIp: agent.sourceIp,
    enrolledAt: iso(agent.enrolledAt),
    lastSeenAt: isoOrNull(agent.lastSeenAt),
    agentVersion: agent.agentVersion,
    connected: open > 0,
    connections: open,
    eventsReceived: events,
    bytesReceived: bytes,
    certificate: certificate && { subject: certificate.subject, notAfter: iso(certificate.notAfter) },
    keyWeakness: certificate?.weakness ?? null,
    hostnameSharedWith,
  };
}
