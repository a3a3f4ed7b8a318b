import type {
  AllowlistEntry,
  ConnectionSettings,
  Endpoint,
  EnrollmentOutcome,
  EnrollmentRequest,
  PeerCertificate,
  TlsIdentity,
} from '@app/pipeline/api';
import type { DrainReport, FlowSettings, GatewayConfig, PipelineSpec, PipelineStatus } from '@app/pipeline';

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
  /** Place among the reactors, from 0; never held by two processes at a time, and kept over restarts. */
  readonly index: number;
  readonly pipelines: readonly PipelineSpec[];
  readonly settings: ReactorSettings;
  readonly allowlist: readonly AllowlistEntry[];
  readonly tlsIdentity: TlsIdentity | null;
  readonly endpoints: Readonly<Record<string, Endpoint>>;
  readonly log: GatewayConfig['log'];
}

/** Control plane to reactor. Plain data: it crosses process borders. */
export type ToReactor =
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
    }
  /** Cut a connection that nobody has identified: it gives way to a newer one. */
  | { readonly type: 'cut-connection'; readonly id: string }
  /** Close every connection; what has arrived on them is still taken. */
  | { readonly type: 'close-connections' }
  /** This reactor's part of the buffer, dealt anew; other settings stay. */
  | { readonly type: 'credit'; readonly credit: Pick<FlowSettings, 'bufferMaxEvents' | 'bufferBytesShare'> }
  /** Answers `write-permit-wanted`, when there is one. */
  | { readonly type: 'write-permit'; readonly requestId: number }
  | { readonly type: 'enrollment-outcome'; readonly requestId: number; readonly outcome: EnrollmentOutcome }
  | { readonly type: 'collect-metrics'; readonly requestId: number }
  /**
   * Write out what is there, then exit. `deadline`: milliseconds since 1970-01-01 UTC; a later message may bring an
   * earlier one.
   */
  | { readonly type: 'drain'; readonly deadline: number };

/** Reactor to control plane. */
export type FromReactor =
  /** The process is up and waits for `configure`. */
  | { readonly type: 'hello' }
  /** Pipelines run; connections may be sent. */
  | { readonly type: 'ready' }
  /** Pipelines could not be built; the text is for operators. */
  | { readonly type: 'failed'; readonly reason: string }
  /** Once a second. */
  | { readonly type: 'status'; readonly status: ReactorStatus }
  /** The peer of this connection is an agent of the allowlist. */
  | { readonly type: 'connection-identified'; readonly id: string }
  | { readonly type: 'connection-closed'; readonly id: string }
  | { readonly type: 'agent-connected'; readonly spkiHash: string; readonly connectionId: string }
  | { readonly type: 'agent-disconnected'; readonly spkiHash: string; readonly connectionId: string }
  /** Once a second: who was heard of, and what each did since the last time. */
  | {
      readonly type: 'agents-seen';
      readonly spkiHashes: readonly string[];
      readonly at: number;
      readonly activity: readonly ReportedActivity[];
    }
  | { readonly type: 'enroll'; readonly requestId: number; readonly request: EnrollmentRequest }
  /** A write to a sink, `<pipeline>/<sink>`, waits for a permit. */
  | { readonly type: 'write-permit-wanted'; readonly requestId: number; readonly pool: string }
  /** A write that had a permit has ended. */
  | { readonly type: 'write-permit-done'; readonly pool: string }
  | { readonly type: 'ban'; readonly sourceIp: string; readonly reason: string }
  /** prom-client's `getMetricsAsJSON`. */
  | { readonly type: 'metrics'; readonly requestId: number; readonly metrics: readonly object[] }
  | { readonly type: 'drained'; readonly reports: readonly DrainReport[] };

/** What one agent did since the last time. */
export interface ReportedActivity {
  readonly spkiHash: string;
  /** Messages of its stream. */
  readonly events: number;
  /** Size of these messages. */
  readonly bytes: number;
  /** Of its newest connection, where it made one. */
  readonly certificate?: PeerCertificate;
}

/** What a reactor tells of itself. */
export interface ReactorStatus {
  readonly pipelines: readonly PipelineStatus[];
  readonly connections: number;
  /** Resident set size, bytes. */
  readonly rssBytes: number;
}
