import type { JsonSchema } from '@app/pipeline/api';
import type { StoredAgent } from '../store/index.js';

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

/** @param connections open ones by SPKI hash */
export function toAgentView(agent: StoredAgent, connections: ReadonlyMap<string, number>): AgentView {
  return {
    spkiHash: agent.spkiHash,
    hostname: agent.hostname,
    sourceIp: agent.sourceIp,
    enrolledAt: new Date(agent.enrolledAt).toISOString(),
    lastSeenAt: agent.lastSeenAt === null ? null : new Date(agent.lastSeenAt).toISOString(),
    agentVersion: agent.agentVersion,
    connected: (connections.get(agent.spkiHash) ?? 0) > 0,
  };
}
