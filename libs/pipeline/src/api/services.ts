import type { StreamClaims } from './streams.js';

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

/** The server's certificate chain and private key, PEM; `undefined` while the listener has none. */
export interface TlsIdentity {
  readonly cert: string;
  readonly key: string;
}

/** A TCP connection that the acceptor let through, paused, before any TLS work. */
export interface AcceptedConnection {
  readonly id: string;
  /** Canonical text; an IPv4-mapped IPv6 address is written as IPv4. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly acceptedAt: number;
  /** Whether a peer with a key of the allowlist was lately seen at its address; false when unset. */
  readonly known?: boolean;
  /** Its errors are listened to: without another listener, one only closes it. */
  readonly socket: import('node:net').Socket;
}

/** Why the gateway ends the connection of an identified peer: a newer one of its key came, or there is no place for it. */
export type ConnectionEnd = 'displaced' | 'limit';

/** Serves accepted connections. */
export interface ConnectionTaker {
  /** Takes a connection over. */
  accept(connection: AcceptedConnection): void;
  /**
   * Every connection taken is to be closed, as it is when ingestion is switched off: stop reading, hand over what has
   * arrived. Without it their sockets are cut.
   */
  closeAll?(): void;
  /** One connection is to be ended gracefully, acknowledgements included. Without it its socket is cut. */
  end?(connectionId: string, reason: ConnectionEnd): void;
  /**
   * How long nothing has come over a connection, ms; 0 while the gateway makes the peer wait, endless for one that is being
   * ended. `undefined` for one that it does not know.
   */
  silentMs?(connectionId: string): number | undefined;
}

/** Hands over accepted connections; one taker at a time. */
export interface ConnectionFeed {
  /** Returns what ends the taking; connections that come then are closed. */
  take(taker: ConnectionTaker): () => void;
  /** The peer has proved to hold a known key. From now on the connection counts against the limits of identified ones. */
  identified(connectionId: string, key: string): void;
  /**
   * The peer has broken a rule of the protocol, and its connection is about to be closed. Its address is banned or slowed
   * for a while; an identified connection and an address that is never banned cause nothing.
   * @param reason bounded code, for logs and metrics
   */
  violated(connectionId: string, reason: string): void;
  /** To be called exactly once for each connection taken, when its socket is closed. */
  closed(connectionId: string): void;
}

/** Where a named database is; the embedded ClickHouse gets its port at start. */
export interface Endpoint {
  readonly url: string;
  readonly database: string;
  readonly username: string;
  readonly password: string;
}

/** What an instance may use of the gateway. A program offers more for its domain, whose library has the types. */
export interface Services {
  readonly connectionSettings: LiveValue<ConnectionSettings>;
  readonly connections: ConnectionFeed;
  readonly tlsIdentity: LiveValue<TlsIdentity | undefined>;
  /** Named endpoints; a name is missing until its server is known. */
  readonly endpoints: LiveValue<ReadonlyMap<string, Endpoint>>;
  /** Missing where there is one data plane process only. */
  readonly streamClaims?: StreamClaims;
}
