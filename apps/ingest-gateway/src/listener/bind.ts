import { createServer, type Server, type Socket } from 'node:net';
import { GatewayError } from '@activity-gateway/pipeline/api';

/** Connections that the kernel holds while this process is busy; many agents come back together after a restart. */
const BACKLOG = 511;

const REASONS: Readonly<Record<string, { readonly what: string; readonly hint: string }>> = {
  EADDRINUSE: {
    what: 'another process uses it',
    hint: 'Choose another port with activitymonitor_tcp_port, or end that process.',
  },
  EACCES: {
    what: 'this user may not bind it',
    hint: 'Choose a port above 1023, or give the process the right to bind lower ones.',
  },
  EADDRNOTAVAIL: {
    what: 'this machine does not have the address',
    hint: 'Set listener.host to an address of this machine, or to 0.0.0.0.',
  },
  ENOTFOUND: {
    what: 'the host name cannot be resolved',
    hint: 'Set listener.host to an address of this machine.',
  },
};

/**
 * Opens a TCP listener whose connections come paused, unread.
 * @throws GatewayError `LISTENER_BIND_FAILED`
 */
export function bind(host: string, port: number, onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ pauseOnConnect: true }, onConnection);
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => reject(bindError(host, port, error));
    server.once('error', failed);
    server.listen({ host, port, backlog: BACKLOG }, () => {
      server.off('error', failed);
      resolve(server);
    });
  });
}

/** The port that a listener has; 0 when it is closed. */
export function portOf(server: Server | undefined): number {
  const address = server?.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function bindError(host: string, port: number, error: NodeJS.ErrnoException): GatewayError {
  const known = REASONS[error.code ?? ''];
  const what = known?.what ?? error.message;
  const message = `Cannot listen on ${host}:${port}: ${what} (${error.code ?? 'unknown error'}).`;
  return new GatewayError('LISTENER_BIND_FAILED', message, known?.hint, { cause: error });
}
