import {
  GatewayError,
  type LiveValue,
  type PluginContext,
  type Services,
} from '@activity-gateway/pipeline/api';

/** Key of an event in which agents repeat the host name that they have enrolled with. */
export const AGENT_HOST = 'AgentHost';

/** One agent that may stream. */
export interface AllowlistEntry {
  readonly spkiHash: string;
  readonly hostname: string;
}

/** Agents that may stream, by `spkiHash`. */
export type Allowlist = ReadonlyMap<string, AllowlistEntry>;

/** What an agent asks for when it enrolls; the gateway has verified `spkiHash` and `sourceIp` itself. */
export interface EnrollmentRequest {
  readonly code: string;
  readonly spkiHash: string;
  readonly sourceIp: string;
  readonly hostname: string;
  readonly agentVersion?: string;
}

/** Answer to an enrollment, as `protocol.md` names it. `Unavailable`: the store cannot say; no ban follows. */
export type EnrollmentOutcome =
  | { readonly status: 'Enrolled' }
  | {
      readonly status: 'Rejected';
      readonly error: 'InvalidCode' | 'ExpiredCode' | 'MalformedRequest';
      readonly message: string;
    }
  | { readonly status: 'Unavailable' };

/** What has come from an agent since the last report about it. */
export interface AgentReport {
  /** Messages, refused ones included. */
  readonly events: number;
  /** Size of the raw messages, bytes. */
  readonly bytes: number;
  /** What its certificate says of itself, which nobody has verified; told once a connection. */
  readonly certificate?: {
    readonly subject: string;
    /** Milliseconds since 1970-01-01 UTC. */
    readonly notAfter: number;
    /** Why its key is too weak to enroll today, as part of a sentence. */
    readonly weakness?: string;
  };
}

/** What a source tells about agents for the list of agents. */
export interface AgentPresence {
  connected(spkiHash: string, connectionId: string): void;
  disconnected(spkiHash: string, connectionId: string): void;
  /** Once a batch at most. */
  seen(spkiHash: string, report?: AgentReport): void;
}

/** What a source of agents may use of the gateway besides. */
export interface AgentServices extends Services {
  readonly allowlist: LiveValue<Allowlist>;
  readonly presence: AgentPresence;
  /** Asks the control plane; resolves with `Unavailable` when it does not answer in time, never rejects. */
  enroll(request: EnrollmentRequest): Promise<EnrollmentOutcome>;
}

/** What a source of agents `requires`. */
export const AGENT_NEEDS = Object.freeze([
  'connectionSettings',
  'listen',
  'streamClaims',
  'allowlist',
  'presence',
  'enroll',
] as const satisfies readonly (keyof AgentServices)[]);

/** Their names. */
export type AgentNeeds = (typeof AGENT_NEEDS)[number];

/** The context of an instance that serves agents. */
export interface AgentContext extends PluginContext {
  readonly services: Pick<AgentServices, AgentNeeds>;
}

/**
 * The same context, with the services for agents.
 * @throws GatewayError `AGENT_SERVICES_MISSING` where the program has none
 */
export function agentContext(context: PluginContext): AgentContext {
  if (!('allowlist' in context.services)) {
    throw new GatewayError(
      'AGENT_SERVICES_MISSING',
      `${context.id} serves agents, and this program keeps no allowlist.`,
      'Use a source that serves no agents.',
    );
  }
  return context as AgentContext;
}
