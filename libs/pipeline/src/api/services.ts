/** A value that changes by replacement, never in place. */
export interface LiveValue<T> {
  readonly current: T;
  /** Calls the listener after each change; returns what ends the subscription. */
  subscribe(listener: (value: T) => void): () => void;
}

/** Limits and deadlines of each connection, new and open ones. */
export interface ConnectionSettings {
  /** `activitymonitor_max_message_size`, bytes. */
  readonly maxMessageBytes: number;
  /** `activitymonitor_connection_timeout`, ms. */
  readonly idleTimeoutMs: number;
  /** `activitymonitor_enrollment_first_message_timeout_seconds`, ms; covers the TLS handshake too. */
  readonly firstMessageTimeoutMs: number;
}

/** One agent that may stream. */
export interface AllowlistEntry {
  readonly spkiHash: string;
  readonly hostname: string;
}

/** Agents that may stream, by `spkiHash`. */
export type Allowlist = ReadonlyMap<string, AllowlistEntry>;

/** The server's certificate chain and private key, PEM; `undefined` while the listener has none. */
export interface TlsIdentity {
  readonly cert: string;
  readonly key: string;
}

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

/** A TCP connection that the acceptor let through, paused, before any TLS work. */
export interface AcceptedConnection {
  readonly id: string;
  /** Canonical text; an IPv4-mapped IPv6 address is written as IPv4. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly acceptedAt: number;
  readonly socket: import('node:net').Socket;
}

/** Hands over accepted connections; one taker at a time. */
export interface ConnectionFeed {
  /**
   * Returns what ends the taking; connections that come then are closed.
   * @param closeAll called when every connection taken is to be closed, as it is when ingestion is switched off:
   *   stop reading, hand over what has arrived. Without it their sockets are cut.
   */
  take(handler: (connection: AcceptedConnection) => void, closeAll?: () => void): () => void;
  /** The peer has proved to be an agent of the allowlist: its connection does not give way to newer ones any more. */
  identified(connectionId: string): void;
  /** To be called exactly once for each connection taken, when its socket is closed. */
  closed(connectionId: string): void;
}

/** What operators see of an agent's certificate; what is in it is the agent's choice. */
export interface PeerCertificate {
  /** On one line, cut to 256 characters. */
  readonly subject: string;
  /** Milliseconds since 1970-01-01 UTC; `null` when it cannot be read. */
  readonly notAfter: number | null;
}

/** What a source tells about agents, for what operators see of each. */
export interface AgentPresence {
  connected(spkiHash: string, connectionId: string, certificate?: PeerCertificate): void;
  disconnected(spkiHash: string, connectionId: string): void;
  /** At most once a second and connection. */
  seen(spkiHash: string): void;
  /** Once a batch: as many messages of this size, bytes, have come from the agent. */
  received(spkiHash: string, messages: number, bytes: number): void;
}

/** Where a named database is; the embedded ClickHouse gets its port at start. */
export interface Endpoint {
  readonly url: string;
  readonly database: string;
  readonly username: string;
  readonly password: string;
}

/** What an instance may use of the gateway. */
export interface Services {
  readonly connectionSettings: LiveValue<ConnectionSettings>;
  readonly connections: ConnectionFeed;
  readonly allowlist: LiveValue<Allowlist>;
  readonly tlsIdentity: LiveValue<TlsIdentity | undefined>;
  readonly presence: AgentPresence;
  /** Named endpoints; a name is missing until its server is known. */
  readonly endpoints: LiveValue<ReadonlyMap<string, Endpoint>>;
  /** Asks the control plane; resolves with `Unavailable` when it does not answer in time, never rejects. */
  enroll(request: EnrollmentRequest): Promise<EnrollmentOutcome>;
  /** Bans a source address for the configured time. `reason` is a bounded code, for logs and metrics. */
  ban(sourceIp: string, reason: string): void;
}
