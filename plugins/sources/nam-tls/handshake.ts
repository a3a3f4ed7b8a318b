import type { Socket } from 'node:net';
import { TLSSocket, type SecureContext } from 'node:tls';

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

/** Bytes of decrypted data that one connection may hold before the peer has to wait; also what is framed at once. */
const READ_BUFFER_BYTES = 128 * 1024;

/**
 * Begins TLS on a socket that nobody has read from, or whose read data are still in its buffer. No error of the peer
 * escapes: every fault closes the socket.
 */
export function beginTls(raw: Socket, secureContext: SecureContext): TlsSide {
  // Set on the raw socket too: a wrapped socket takes it from there. The answer to a peer that has ended its side is
  // still to be written.
  raw.allowHalfOpen = true;
  const options = {
    isServer: true,
    requestCert: true,
    // Agents are told by their key, and their certificates are self-signed.
    rejectUnauthorized: false,
    secureContext,
    highWaterMark: READ_BUFFER_BYTES,
  };
  const socket = new TLSSocket(raw, options);
  let fault: Error | undefined;
  const failed = (error: Error): void => {
    fault ??= error;
    socket.destroy();
  };
  socket.on('error', failed);
  // Faults of the TLS layer come this way on a socket that no tls.Server made.
  socket.on('_tlsError', failed);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const secured = new Promise<boolean>((resolve) => {
    socket.once('secure', () => resolve(true));
    socket.once('close', () => resolve(false));
  });
  return { socket, secured, closed, fault: () => fault };
}
