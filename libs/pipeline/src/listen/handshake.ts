import type { Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';
import type { HandshakeGate } from './handshake-gate.js';
import { HandshakeGuard, HandshakeTooLarge, MAX_HANDSHAKE_BYTES } from './handshake-guard.js';

/** A TLS server's side over an accepted socket. */
export interface TlsSide {
  readonly socket: TLSSocket;
  /** Whether the handshake succeeded; resolves when it has, or when the socket is closed. */
  readonly secured: Promise<boolean>;
  /** Resolves when the socket is closed. */
  readonly closed: Promise<void>;
  /** What was wrong with the connection, if anything was. */
  fault(): Error | undefined;
}

/** How a handshake is served. */
export interface HandshakeOptions {
  readonly secureContext: SecureContext;
  readonly gate: HandshakeGate;
  /** The peers that share the gate's places by address. */
  readonly address: string;
  /**
   * Whether what comes until the handshake is done is counted before OpenSSL has it (`HandshakeGuard`), for the price of
   * slower reading ever after. Otherwise it is judged afterwards.
   */
  readonly watched: boolean;
}

/** A handshake had its time, and others wait for its place. */
export class HandshakeGaveWay extends Error {
  override readonly name = 'HandshakeGaveWay';

  constructor() {
    super('The handshake took long, and others were waiting.');
  }
}

/** Bytes of decrypted data that one connection may hold before the peer has to wait; also what is framed at once. */
const READ_BUFFER_BYTES = 128 * 1024;
/** What Node reads from a socket at once, bytes: so much of what follows the handshake may have come with its last part. */
const READ_BYTES = 65_536;

/**
 * Begins TLS on a socket that nobody has read from, or whose read data are still in its buffer. No error of the peer
 * escapes: every fault closes the socket.
 */
export function beginTls(raw: Socket, { secureContext, gate, address, watched }: HandshakeOptions): TlsSide {
  // Set on the raw socket too: a wrapped socket takes it from there. The answer to a peer that has ended its side is
  // still to be written.
  raw.allowHalfOpen = true;
  const guard = watched ? new HandshakeGuard(raw) : undefined;
  const options = {
    isServer: true,
    requestCert: true,
    // Peers are told by their key, and their certificates are self-signed.
    rejectUnauthorized: false,
    secureContext,
    highWaterMark: READ_BUFFER_BYTES,
  };
  const socket = new TLSSocket(guard ?? raw, options);
  let fault: Error | undefined;
  const failed = (error: Error): void => {
    fault ??= error;
    socket.destroy();
  };
  socket.on('error', failed);
  // Faults of the TLS layer come this way on a socket that no tls.Server made.
  socket.on('_tlsError', failed);
  // The TLS layer does not tell of those of a stream that is no socket.
  guard?.on('error', failed);
  let leave = (): void => undefined;
  const begin = (): void => {
    leave = gate.enter(
      address,
      () => guard?.begin(),
      () => failed(new HandshakeGaveWay()),
    );
  };
  if (guard === undefined) begin();
  else guard.once('begun', begin);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const judge = (): void => {
    if (guard !== undefined || raw.bytesRead <= MAX_HANDSHAKE_BYTES + READ_BYTES) return;
    fault = new HandshakeTooLarge();
    socket.destroy();
  };
  const secured = new Promise<boolean>((resolve) => {
    const over = (succeeded: boolean): void => {
      leave();
      judge();
      resolve(succeeded && fault === undefined);
    };
    socket.once('secure', () => {
      guard?.secured();
      socket.off('close', failedToSecure);
      over(true);
    });
    const failedToSecure = (): void => over(false);
    socket.once('close', failedToSecure);
  });
  return { socket, secured, closed, fault: () => fault };
}
