import type { Socket } from 'node:net';
import type { ConnectionEnd } from '../api/index.js';

/** The server's certificate chain and private key, PEM. */
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
  /** Whether a peer with a known key was lately seen at its address; false when unset. */
  readonly known?: boolean;
  /** Its errors are listened to: without another listener, one only closes it. */
  readonly socket: Socket;
}

/** Serves accepted connections. */
export interface ConnectionTaker {
  /** Takes a connection over. */
  accept(connection: AcceptedConnection): void;
  /** Every connection taken is to be ended gracefully, as it is when ingestion is switched off. */
  closeAll(): void;
  /** One connection is to be ended gracefully. */
  end(connectionId: string, reason: ConnectionEnd): void;
  /** As `ServedConnection.silentMs`; `undefined` for a connection that is not served. */
  silentMs(connectionId: string): number | undefined;
}

/** Hands over accepted connections; one taker at a time. */
export interface ConnectionFeed {
  /**
   * Returns what ends the taking; connections that come then are closed.
   * @throws GatewayError `CONNECTIONS_TAKEN` when somebody takes connections already
   */
  take(taker: ConnectionTaker): () => void;
  /** As `PeerConnection.identified`. */
  identified(connectionId: string, key: string): void;
  /** As `PeerConnection.violated`. */
  violated(connectionId: string, reason: string): void;
  /** To be called exactly once for each connection taken, when its socket is closed. */
  closed(connectionId: string): void;
}
