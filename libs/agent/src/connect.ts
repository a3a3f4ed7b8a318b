import { GatewayError } from '@activity-gateway/pipeline/api';
import { spkiHash } from '@activity-gateway/activity';
import { connect, type TLSSocket } from 'node:tls';
import type { AgentIdentity } from './identity.js';

/** Where to connect, as whom, and whom to expect there. */
export interface ConnectOptions {
  readonly host: string;
  readonly port: number;
  readonly identity: AgentIdentity;
  /** The only server key that is trusted. */
  readonly serverSpki: string;
  /** For TCP and TLS together, ms. */
  readonly timeoutMs: number;
}

/**
 * Connects over TLS 1.3 and compares the server's key with the pinned one before anything is sent.
 * @throws GatewayError `AGENT_SERVER_KEY_MISMATCH`, `AGENT_CONNECT_FAILED` or `AGENT_ABORTED`; the socket is closed then
 */
export function connectPinned(options: ConnectOptions, signal?: AbortSignal): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = openSocket(options);
    const fail = (error: GatewayError): void => {
      release();
      socket.on('error', ignore);
      socket.destroy();
      reject(error);
    };
    const onError = (error: Error): void => fail(connectFailed(options, error.message));
    const onClose = (): void => fail(connectFailed(options, 'the gateway closed the connection'));
    const onAbort = (): void => fail(aborted());
    const onSecure = (): void => {
      const problem = checkServerKey(socket, options.serverSpki);
      if (problem !== undefined) return fail(problem);
      release();
      // Events are collected into large writes already: the last one of a pause shall not wait for an answer.
      socket.setNoDelay(true);
      resolve(socket);
    };
    const timer = setTimeout(() => fail(connectFailed(options, 'no answer in time')), options.timeoutMs);
    const release = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.off('error', onError).off('close', onClose).off('secureConnect', onSecure);
    };
    socket.on('error', onError).on('close', onClose).on('secureConnect', onSecure);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
  });
}

function openSocket({ host, port, identity }: ConnectOptions): TLSSocket {
  return connect({
    host,
    port,
    cert: identity.certPem,
    key: identity.keyPem,
    minVersion: 'TLSv1.3',
    // No chain to check: the pinned key stands for the server (docs/reference/protocol.md, Transport).
    rejectUnauthorized: false,
  });
}

function checkServerKey(socket: TLSSocket, expected: string): GatewayError | undefined {
  const certificate = socket.getPeerX509Certificate();
  const actual = certificate === undefined ? 'none' : spkiHash(certificate);
  if (actual === expected) return undefined;
  return new GatewayError(
    'AGENT_SERVER_KEY_MISMATCH',
    `The server's key is not the expected one: nothing was sent. Expected ${expected}, found ${actual}.`,
    "Check host and port. If the gateway's certificate was replaced, enroll again with a new token.",
  );
}

function connectFailed({ host, port }: ConnectOptions, reason: string): GatewayError {
  return new GatewayError(
    'AGENT_CONNECT_FAILED',
    `No connection to ${host}:${port}: ${reason}.`,
    'Check that the gateway listens there and that this address is not banned.',
  );
}

function aborted(): GatewayError {
  return new GatewayError('AGENT_ABORTED', 'The connection was given up on request.');
}

function ignore(): void {
  // The socket is being destroyed: what else goes wrong with it is of no interest.
}
