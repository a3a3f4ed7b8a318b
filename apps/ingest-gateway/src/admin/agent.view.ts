import type { JsonSchema } from '@app/pipeline/api';
import { component, shape, TIME, TIME_OR_NULL } from '../openapi/component.js';
import type { StoredAgent } from '../store/index.js';
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
  /** Messages of its stream since it was added. */
  readonly eventsReceived: number;
  /** Size of these messages. */
  readonly bytesReceived: number;
  /** As it showed it last; its subject is the agent's choice. */
  readonly certificate: { readonly subject: string; readonly notAfter: string | null } | null;
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
      description: 'Messages of its stream since it was added.',
    },
    bytesReceived: { type: 'integer', minimum: 0, description: 'Size of these messages.' },
    certificate: {
      ...shape({ subject: { type: 'string' }, notAfter: TIME_OR_NULL }),
      type: ['object', 'null'],
      description: 'Client certificate of its newest connection; null before the first one.',
    },
  }),
);

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
  eventsReceived: 48_210,
  bytesReceived: 17_837_700,
  certificate: { subject: 'CN=FS-AGENT-01', notAfter: '2031-11-20T09:15:00.000Z' },
};

/** @param connections open ones by SPKI hash */
export function toAgentView(agent: StoredAgent, connections: ReadonlyMap<string, number>): AgentView {
  const open = connections.get(agent.spkiHash) ?? 0;
  return {
    spkiHash: agent.spkiHash,
    hostname: agent.hostname,
    sourceIp: agent.sourceIp,
    enrolledAt: iso(agent.enrolledAt),
    lastSeenAt: isoOrNull(agent.lastSeenAt),
    agentVersion: agent.agentVersion,
    connected: open > 0,
    connections: open,
    eventsReceived: agent.eventsReceived ?? 0,
    bytesReceived: agent.bytesReceived ?? 0,
    certificate:
      agent.certificate === undefined
        ? null
        : { subject: agent.certificate.subject, notAfter: isoOrNull(agent.certificate.notAfter) },
  };
}
