import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { addressGroup } from '@activity-gateway/pipeline/host';
import type { Counter, Metrics } from '@activity-gateway/pipeline/api';
import { CONNECTION_STATES, HttpConnection } from './http-connection.js';

/** How many connections there may be. */
export interface ConnectionBounds {
  /** Connections at a time. */
  readonly total: number;
  /** Connections of one IPv4 address, or of one IPv6 /64, that owe a request or the rest of one. */
  readonly incomplete: number;
  /** Requests of one connection that are not answered yet: pipelined ones would be answers in memory. */
  readonly unanswered: number;
  /** Time without a byte in either direction after which a connection whose peer owes something is destroyed, ms. */
  readonly stalledAfterMs: number;
}

/** The bounds of the REST API. */
export const CONNECTION_BOUNDS: ConnectionBounds = {
  total: 256,
  incomplete: 32,
  unanswered: 8,
  stalledAfterMs: 30_000,
};
/** Time that a peer has to close after the answer to what is no request, ms. */
const LAST_ANSWER_MS = 1_000;

/**
 * Bounds the connections of the REST API. A new one is always served: at a bound the oldest of those that owe most gives
 * way (ADR 0030), so that no peer keeps others, or health and metrics, from being answered. Connections are destroyed,
 * not ended: an end waits for the peer.
 */
export class ConnectionLimits {
  /** In the order of their acceptance. */
  readonly #connections = new Map<Socket, HttpConnection>();
  #checking = false;
  readonly #closed: Counter;

  constructor(
    metrics: Metrics,
    private readonly bounds: ConnectionBounds = CONNECTION_BOUNDS,
  ) {
    this.#closed = metrics.counter(
      'gateway_http_connections_closed_total',
      'Connections of the REST API that were closed to make room or because their peer was too slow.',
      ['reason'],
    );
  }

  /** Watches the connections of a server; to be called before it listens. */
  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.#accept(socket));
    // Before the one that answers, which passes over the requests of a connection that is closed.
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      const connection = this.#connections.get(request.socket);
      connection?.begin(request, response);
      if ((connection?.openAnswers ?? 0) > this.bounds.unanswered) this.#close(connection, 'pipelined');
    });
    server.setTimeout(this.bounds.stalledAfterMs, (socket) => this.#stalled(socket));
  }

  /** Answers what is no request and destroys the connection, at the latest after a second. */
  refuse(socket: Socket, answer: string): void {
    const unanswered = (this.#connections.get(socket)?.openAnswers ?? 0) === 0 && socket.writable;
    if (!unanswered || socket.bytesRead === 0) return void socket.destroy();
    const timer = setTimeout(() => socket.destroy(), LAST_ANSWER_MS);
    socket.once('close', () => clearTimeout(timer));
    socket.end(answer);
  }

  #accept(socket: Socket): void {
    this.#connections.set(socket, new HttpConnection(socket, addressGroup(socket.remoteAddress ?? '')));
    socket.once('close', () => this.#connections.delete(socket));
    if (this.#checking) return;
    this.#checking = true;
    // Two turns of the event loop later: what a connection has sent by now is read in the next one, and a whole request
    // among many empty connections is served however many come at once.
    setImmediate(() => setImmediate(() => this.#makeRoom()));
  }

  #makeRoom(): void {
    this.#checking = false;
    for (const own of groupsOf(this.#in('incomplete'))) {
      own.slice(0, -this.bounds.incomplete).forEach((connection) => this.#close(connection, 'address_limit'));
    }
    while (this.#connections.size > this.bounds.total) this.#close(this.#nextToGiveWay(), 'limit');
  }

  #nextToGiveWay(): HttpConnection | undefined {
    for (const state of CONNECTION_STATES) {
      const [oldest] = largest(groupsOf(this.#in(state)));
      if (oldest !== undefined) return oldest;
    }
    return undefined;
  }

  #in(state: HttpConnection['state']): HttpConnection[] {
    return [...this.#connections.values()].filter((connection) => connection.state === state);
  }

  /** A request that takes its time is no fault of its peer. */
  #stalled(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection?.state === 'working') socket.setTimeout(this.bounds.stalledAfterMs);
    else if (connection?.state === 'idle') socket.destroy();
    else this.#close(connection, 'timeout');
  }

  #close(connection: HttpConnection | undefined, reason: string): void {
    if (connection === undefined) return;
    this.#connections.delete(connection.socket);
    connection.socket.destroy();
    this.#closed.add(1, { reason });
  }
}

/** Connections by network, each in their order. */
function groupsOf(connections: readonly HttpConnection[]): HttpConnection[][] {
  const groups = new Map<string, HttpConnection[]>();
  for (const connection of connections) {
    const group = groups.get(connection.network);
    if (group === undefined) groups.set(connection.network, [connection]);
    else group.push(connection);
  }
  return [...groups.values()];
}

function largest(groups: readonly HttpConnection[][]): readonly HttpConnection[] {
  return groups.reduce((most, each) => (each.length > most.length ? each : most), []);
}
