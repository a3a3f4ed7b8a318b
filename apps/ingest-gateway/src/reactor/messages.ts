import type { AnswerMessage, Channel, RequestMessage } from './channel.js';
import type {
  ConnectionEnd,
  ConnectionSettings,
  Endpoint,
  SequenceRange,
} from '@activity-gateway/pipeline/api';
import type {
  AgentReport,
  AllowlistEntry,
  EnrollmentOutcome,
  EnrollmentRequest,
} from '@activity-gateway/activity';
import type {
  DrainReport,
  FlowSettings,
  GatewayConfig,
  PipelineSpec,
  PipelineStatus,
  PluginPackage,
  ReplayItem,
  ReplayOutcome,
  TlsIdentity,
} from '@activity-gateway/pipeline/host';

/** What came from agents, by SPKI hash. */
export type AgentReports = Readonly<Record<string, AgentReport>>;

/**
 * Settings as reactors need them. What `DataPlane` is given are the limits over all reactors; what a reactor is sent is
 * its share of them (`reactor-shares.ts`).
 */
export interface ReactorSettings {
  readonly connection: ConnectionSettings;
  readonly flow: FlowSettings;
}

/** All that a reactor starts from: immutable snapshots. Later messages replace single ones. */
export interface ReactorConfiguration {
  readonly gatewayId: string;
  /** Never used before; fixed width. */
  readonly epoch: string;
  /** Place among the reactors, from 0, or -1 for the lobby; never held by two processes at a time, and kept over restarts. */
  readonly index: number;
  /** Whether it serves peers from unknown addresses: it runs at low priority then. */
  readonly lobby: boolean;
  /** Packages whose plugins the pipelines may use beside those of the program. */
  readonly plugins: readonly PluginPackage[];
  readonly pipelines: readonly PipelineSpec[];
  readonly settings: ReactorSettings;
  readonly allowlist: readonly AllowlistEntry[];
  readonly tlsIdentity: TlsIdentity | null;
  readonly endpoints: Readonly<Record<string, Endpoint>>;
  readonly log: GatewayConfig['log'];
  /** Where pipelines keep what waits for their sinks; without it they keep it in memory. */
  readonly spool?: SpoolAssignment;
}

/** Spools of one reactor. A spool is in `<directory>/<pipeline>/<slot>`. */
export interface SpoolAssignment {
  /** Absolute path. */
  readonly directory: string;
  /** The reactor's own; the same after a restart. */
  readonly slot: string;
  /** Spools, as `<pipeline>/<slot>`, of reactors that are no more: to be written out and removed. */
  readonly adopt: readonly string[];
  /** Its share of what a pipeline's spools may take; all together are 1. */
  readonly share: number;
}

/** Dead letters of one pipeline. */
export interface ReplayRequest {
  readonly pipeline: string;
  readonly items: readonly ReplayItem[];
}

/** What the control plane asks a reactor. */
export type ControlRequests = {
  /** How long connections have been silent, ms; those that are gone are left out. */
  readonly silences: {
    readonly question: readonly string[];
    readonly answer: Readonly<Record<string, number>>;
  };
  /** prom-client's `getMetricsAsJSON`. */
  readonly metrics: { readonly question: null; readonly answer: readonly object[] };
  /** To try dead letters again; one outcome for each. */
  readonly replay: { readonly question: ReplayRequest; readonly answer: readonly ReplayOutcome[] };
  /** Another reactor claims the stream: to give it up and tell what is durable, `null` when that cannot be told now. */
  readonly 'release-stream': { readonly question: string; readonly answer: readonly SequenceRange[] | null };
};

/** What a reactor asks the control plane. */
export type ReactorRequests = {
  readonly enroll: { readonly question: EnrollmentRequest; readonly answer: EnrollmentOutcome };
  /** A write to a sink, `<pipeline>/<sink>`, waits for a permit; its end is told by `write-permit-done`. */
  readonly 'write-permit': { readonly question: string; readonly answer: null };
  /** What the other reactors hold durable of a stream, `null` when that cannot be told now. */
  readonly 'claim-stream': { readonly question: string; readonly answer: readonly SequenceRange[] | null };
};

/** Control plane to reactor. */
export type ToReactor = ControlNotice | RequestMessage<ControlRequests> | AnswerMessage;

/** Reactor to control plane. */
export type FromReactor = ReactorNotice | RequestMessage<ReactorRequests> | AnswerMessage;

/** The reactor's end of the channel. */
export type ReactorChannel = Channel<ReactorRequests, ControlRequests, ReactorNotice>;

/** The control plane's end. */
export type ControlChannel = Channel<ControlRequests, ReactorRequests, ControlNotice>;

/** What the control plane tells a reactor. Plain data: it crosses process borders. */
export type ControlNotice =
  | { readonly type: 'configure'; readonly configuration: ReactorConfiguration }
  | { readonly type: 'settings'; readonly settings: ReactorSettings }
  | { readonly type: 'allowlist'; readonly entries: readonly AllowlistEntry[] }
  | { readonly type: 'tls-identity'; readonly identity: TlsIdentity | null }
  | { readonly type: 'endpoints'; readonly endpoints: Readonly<Record<string, Endpoint>> }
  /** Comes with the socket as its handle. */
  | {
      readonly type: 'connection';
      readonly id: string;
      readonly remoteAddress: string;
      readonly remotePort: number;
      readonly acceptedAt: number;
      /** As `AcceptedConnection.known`. */
      readonly known: boolean;
    }
  /** Cut a connection that nobody has identified. */
  | { readonly type: 'cut-connection'; readonly id: string }
  /** End a connection gracefully. */
  | { readonly type: 'end-connection'; readonly id: string; readonly reason: ConnectionEnd }
  /** Close every connection; what has arrived on them is still taken. */
  | { readonly type: 'close-connections' }
  /** This reactor's part of the buffer, dealt anew; other settings stay. */
  | { readonly type: 'credit'; readonly credit: Pick<FlowSettings, 'bufferMaxEvents' | 'bufferBytesShare'> }
  /** Spools, as `<pipeline>/<slot>`, of reactors that are no more. */
  | { readonly type: 'adopt-spools'; readonly spools: readonly string[] }
  /**
   * Write out what is there, then exit. `deadline`: milliseconds since 1970-01-01 UTC; a later message may bring an
   * earlier one.
   */
  | { readonly type: 'drain'; readonly deadline: number };

/** What a reactor tells the control plane. */
export type ReactorNotice =
  /** The process is up and waits for `configure`. */
  | { readonly type: 'hello' }
  /** Pipelines run; connections may be sent. */
  | { readonly type: 'ready' }
  /** Pipelines could not be built; the text is for operators. */
  | { readonly type: 'failed'; readonly reason: string }
  /** Once a second. */
  | { readonly type: 'status'; readonly status: ReactorStatus }
  /** The peer of this connection has proved to hold a known key. */
  | { readonly type: 'connection-identified'; readonly id: string; readonly key: string }
  /** The peer of this connection has broken a rule. */
  | { readonly type: 'connection-violated'; readonly id: string; readonly reason: string }
  | { readonly type: 'connection-closed'; readonly id: string }
  | { readonly type: 'agent-connected'; readonly spkiHash: string; readonly connectionId: string }
  | { readonly type: 'agent-disconnected'; readonly spkiHash: string; readonly connectionId: string }
  | {
      readonly type: 'agents-seen';
      readonly spkiHashes: readonly string[];
      readonly at: number;
      /** What came from each since the last message. */
      readonly reports: AgentReports;
    }
  /** A write that had a permit has ended. */
  | { readonly type: 'write-permit-done'; readonly pool: string }
  /** Metrics at the end, as `metrics`. */
  | { readonly type: 'final-metrics'; readonly metrics: readonly object[] }
  | { readonly type: 'drained'; readonly reports: readonly DrainReport[] };

/** What a reactor tells of itself. */
export interface ReactorStatus {
  readonly pipelines: readonly PipelineStatus[];
  readonly connections: number;
  /** Resident set size, bytes. */
  readonly rssBytes: number;
}
