import type { TLSSocket } from 'node:tls';

/** Why the gateway ends the connection of an identified peer: a newer one of its key came, or there is no place for it. */
export type ConnectionEnd = 'displaced' | 'limit';

/** Why a peer is not served after its handshake, or after what there was of it: a bounded code, for logs and metrics. */
export type HandshakeFault =
  | 'handshake_failed'
  /** The peer sent too much before its handshake was done. */
  | 'handshake_too_large'
  /** The handshake took long, and others were waiting for its place. */
  | 'handshake_displaced'
  | 'no_client_certificate'
  | 'unreadable_client_certificate'
  | 'certificate_chain_too_long'
  | 'rsa_key_too_large';

/** What is wrong with a handshake. */
export interface HandshakeRefusal {
  readonly reason: HandshakeFault;
  /** Whether the peer has broken a rule: `violated` is due, unless its key is a known one. */
  readonly violation: boolean;
  /** For the log. */
  readonly level: 'info' | 'warn';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * What a handshake says of its peer. `key`: of the key that it has proved to hold, the SHA-256 of the SubjectPublicKeyInfo
 * in hexadecimal (RFC 7469 2.4). What else its certificate says, nobody has verified. `refusal`: why the peer must not be
 * served; it may have proved a key nevertheless.
 */
export type PeerProof =
  | { readonly key: string; readonly refusal?: undefined }
  | { readonly key?: string; readonly refusal: HandshakeRefusal };

/** A TCP connection that admission let through, with TLS on top. */
export interface PeerConnection {
  readonly id: string;
  /** Canonical text; an IPv4-mapped IPv6 address is written as IPv4. */
  readonly remoteAddress: string;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly acceptedAt: number;
  /** Has no data before `handshake` has resolved. No error of the peer escapes: every fault closes it. */
  readonly socket: TLSSocket;
  /** Resolves when the handshake is over, or the socket closed. Never rejects. */
  readonly handshake: Promise<PeerProof>;
  /** Resolves when the socket is closed. */
  readonly closed: Promise<void>;
  /**
   * The peer has proved to hold a known key. From now on the connection counts against the limits of identified ones, and
   * its address is one of known peers.
   */
  identified(key: string): void;
  /**
   * The peer has broken a rule of the protocol, and its connection is about to be closed. Its address is banned or slowed
   * for a while; an identified connection and an address that is never banned cause nothing.
   * @param reason bounded code, for logs and metrics
   */
  violated(reason: string): void;
}

/** A source's side of one connection. */
export interface ServedConnection {
  /**
   * Serves the connection, deadlines included; resolves when its socket is closed and all that came is handed over, with
   * why it ended (bounded code). Called once. A rejection closes the connection.
   */
  run(): Promise<string>;
  /** To be ended gracefully: what has arrived is handed over. */
  stop(reason: ConnectionEnd | 'stopping'): void;
  /** To be closed at once. */
  destroy(): void;
  /**
   * How long nothing has come, ms; 0 while the gateway makes the peer wait, endless (`Number.MAX_SAFE_INTEGER`) once the
   * connection is being ended. Where a key has too many connections, the most silent one gives way.
   */
  readonly silentMs: number;
}

/** What a source says of how it listens. */
export interface ListenOptions<Served extends ServedConnection> {
  /**
   * `mutual`: TLS 1.3, and the peer is asked for a certificate, which may be self-signed; who it is tells its key. The one
   * way that there is today.
   */
  readonly tls: 'mutual';
  /** Makes the source's side of a connection whose handshake is under way. */
  serve(connection: PeerConnection): Served;
  /**
   * Called once for each connection when it is closed, with what `run` gave; with `no_server_certificate` or `reset` for
   * one that was never served; with `internal_error` where `serve` or `run` failed.
   * @param error what is wrong with the server's certificate, or what `serve` or `run` failed with
   */
  closed(reason: string, error?: unknown): void;
}

/** A source's hold on its listener. */
export interface Listening<Served extends ServedConnection> {
  /** Those that are served now. */
  readonly connections: ReadonlySet<Served>;
  /**
   * Takes no connection from now on, and ends those that are open, gracefully until shortly before the deadline.
   * @param deadline milliseconds since 1970-01-01 UTC
   */
  stop(deadline: number): Promise<void>;
}

/**
 * Listens: the gateway accepts in its control plane, with admission (limits, bans, places) and bounds on handshakes, and
 * gives each connection to one of its reactors. Address, port and certificate are those of the program's listener.
 * @throws GatewayError `CONNECTIONS_TAKEN` when another source listens already
 */
export type Listen = <Served extends ServedConnection>(options: ListenOptions<Served>) => Listening<Served>;
