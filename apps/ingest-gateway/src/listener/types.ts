import type {
  Effect,
  LimitReached,
  Penalty,
  Refusal,
  DrainReport,
  GatewayConfig,
  PipelineCounts,
  PipelineSpec,
  PluginPackage,
  ReplayItem,
  ReplayOutcome,
  KnownAddress,
} from '@activity-gateway/pipeline/host';
import type { Endpoint, Logger, Metrics } from '@activity-gateway/pipeline/api';
import type { AllowlistEntry, EnrollmentOutcome, EnrollmentRequest } from '@activity-gateway/activity';
import type { AgentReports, ReactorSettings, ReactorStatus } from '../reactor/messages.js';
import type { KeyChange } from './key-change.js';

/** What the data plane asks of the control plane. */
export interface DataPlaneHandlers {
  /** Decides on an enrollment; may reject, which agents see as a closed connection. */
  enroll(request: EnrollmentRequest): Promise<EnrollmentOutcome>;
  /** Once a second and reactor: who was heard of, and what came from each since the last time. */
  agentsSeen(spkiHashes: readonly string[], at: number, reports: AgentReports): void;
  /** SPKI hash of the key that agents know this server by; `undefined` before the first start. */
  knownServerKey(): Promise<string | undefined>;
  /** Stores what `knownServerKey` gives from now on; durable when it resolves. */
  rememberServerKey(spkiHash: string): Promise<void>;
  /** Told of every ban and slowing of an address, also of one that begins again. */
  penalized?(address: string, effect: Effect, reason: string): void;
  /** An epoch that this gateway never used before, fixed width; asked for at each start of a reactor. */
  nextEpoch(): Promise<string>;
}

/** Settings that act on the acceptor. */
export interface AcceptorSettings {
  /** `activitymonitor_tcp_port`; 0 lets the system choose. */
  readonly port: number;
  /** `activitymonitor_max_connections`. */
  readonly maxConnections: number;
  /** `activitymonitor_enrollment_ban_duration_seconds`, ms. */
  readonly banDurationMs: number;
  /** How long a connection may stay without being identified, whatever its reactor does, ms. */
  readonly unidentifiedMs: number;
}

/** What the data plane is made from. */
export interface DataPlaneOptions {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly handlers: DataPlaneHandlers;
  readonly gatewayId: string;
  readonly plugins: readonly PluginPackage[];
  readonly pipelines: readonly PipelineSpec[];
  readonly log: GatewayConfig['log'];
  /** Address that agents connect to. */
  readonly host: string;
  readonly acceptor: AcceptorSettings;
  /** Limits over all reactors; each gets its share. */
  readonly reactor: ReactorSettings;
  /** `activitymonitor_reactor_threads` resolved: at least 1. */
  readonly reactors: number;
  readonly allowlist: readonly AllowlistEntry[];
  readonly endpoints: Readonly<Record<string, Endpoint>>;
  readonly dataDir: string;
  readonly tls: { readonly certPath?: string; readonly keyPath?: string };
  /** Connections that one key may have at once; 8 by default. */
  readonly maxConnectionsPerKey?: number;
  /** Networks in CIDR form whose addresses are neither banned nor slowed; none by default. */
  readonly neverBan?: readonly string[];
}

/** State of one reactor. */
export interface ReactorState {
  readonly pid: number | undefined;
  readonly state: 'starting' | 'ready' | 'failed' | 'draining' | 'stopped';
  readonly reason?: string;
  readonly restarts: number;
  readonly status?: ReactorStatus;
}

/** State of the listener, as `GET /api/v1/nam-listener/status` shows it. */
export interface ListenerStatus {
  readonly state: 'starting' | 'listening' | 'stopped' | 'failed';
  /** Why it does not listen; for operators. */
  readonly reason?: string;
  /** A port that was asked for and could not be bound, until a change of the port succeeds. */
  readonly refusedPort?: {
    readonly port: number;
    readonly reason: string;
    /** Milliseconds since 1970-01-01 UTC. */
    readonly at: number;
  };
  readonly host: string;
  /** The bound port; 0 while none is bound. */
  readonly port: number;
  /** Connections of identified agents: those that count against `maxConnections`. */
  readonly connections: number;
  /** Connections whose peers have not proved to be agents of the allowlist. */
  readonly unidentifiedConnections: number;
  readonly maxConnections: number;
  /** Connections closed before any TLS work since the start, by reason. */
  readonly rejected: Readonly<Record<Refusal, number>>;
  /** Limits at which connections that agents may have opened were turned away in the last minute. */
  readonly limitsReached: readonly LimitReached[];
  /** Addresses that are banned or slowed. */
  readonly bans: readonly Penalty[];
  readonly certificate?: {
    /** SHA-256 of the SubjectPublicKeyInfo: what a token carries. */
    readonly spkiHash: string;
    /** Milliseconds since 1970-01-01 UTC. */
    readonly notAfter: number;
    readonly selfSigned: boolean;
    /** Why its files, which have changed since it was loaded, are not used. */
    readonly problem?: string;
    /** The files hold another key than the one that agents know; waits for a confirmation. */
    readonly keyChange?: KeyChange;
  };
  readonly reactors: readonly (ReactorState & {
    /** Place among the reactors, from 0. */
    readonly index: number;
  })[];
  /** The reactor for peers from addresses where no agent was seen lately; absent while there were none. */
  readonly lobby?: ReactorState | undefined;
  /** Counts of surplus reactors that have ended since the start, by pipeline; to be added to those that run. */
  readonly ended?: readonly EndedPipeline[];
}

/** What a pipeline of reactors that have ended had counted. */
export interface EndedPipeline {
  readonly name: string;
  readonly counts: PipelineCounts;
}

/** Acceptor and reactors. Made by `createDataPlane`. */
export interface DataPlane {
  /**
   * Starts reactors and the listener. Does not reject: what fails is in `status()` and is retried.
   * @param listen false starts it paused; true by default
   */
  start(listen?: boolean): Promise<void>;
  /**
   * Lets go of the port and closes every connection of agents; what has arrived is still processed, and the pipelines
   * go on writing what they hold.
   */
  pause(): void;
  /** Ends a pause. Does not reject: what fails is in `status()` and is retried. */
  resume(): Promise<void>;
  /**
   * Accepts another key of the server, which new connections then get.
   * @throws GatewayError `CERTIFICATE_UNCHANGED` when no other key waits for it
   */
  confirmServerKey(): Promise<KeyChange>;
  /** Ends the ban of an address; whether there was one. */
  liftBan(ip: string): boolean;
  /** Acts at once; a new port is bound before the old one is let go. Rejects, keeping the old port, when it cannot be bound. */
  updateAcceptor(settings: AcceptorSettings): Promise<void>;
  /** Limits over all reactors; each is sent its share. */
  updateReactorSettings(settings: ReactorSettings): void;
  /**
   * Changes how many reactors there are, at least 1. New ones start. Surplus ones get no more connections, close those
   * they have in order, so that agents come back to the others, write out what they hold, however long that takes, and
   * end.
   */
  resizeReactors(count: number): void;
  /** Resolves when every reactor has been sent it; a removed agent's open connections are closed by the reactors. */
  updateAllowlist(entries: readonly AllowlistEntry[]): void;
  updateEndpoints(endpoints: Readonly<Record<string, Endpoint>>): void;
  status(): ListenerStatus;
  /** Addresses where agents were seen, and when. */
  knownAddresses(): KnownAddress[];
  /** Takes in what an earlier run, or another gateway, knew of addresses. */
  learnAddresses(addresses: readonly KnownAddress[]): void;
  /** Open connections by SPKI hash of allowlisted agents. */
  connectedAgents(): ReadonlyMap<string, number>;
  /** prom-client's `getMetricsAsJSON` of each reactor that answers within a second. */
  collectMetrics(): Promise<(readonly object[])[]>;
  /**
   * Tries dead letters of a pipeline again in one of the reactors.
   * @returns one outcome for each, or `undefined` when no reactor is ready or none answered: then nobody knows what was done
   */
  replay(pipeline: string, items: readonly ReplayItem[]): Promise<readonly ReplayOutcome[] | undefined>;
  /** Stops accepting, drains the reactors until the deadline (ms since 1970-01-01 UTC), ends them. Safe twice. */
  stop(deadline: number): Promise<readonly DrainReport[]>;
}
