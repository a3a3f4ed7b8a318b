import { randomBytes } from 'node:crypto';
import type { Server, Socket } from 'node:net';
import type { AcceptedConnection, Counter, Gauge, Logger, Metrics } from '@app/pipeline/api';
import { canonicalIp } from '@app/pipeline/helpers';
import type { Bans } from './bans.js';
import { bind, portOf } from './bind.js';
import { ConnectionRate } from './connection-rate.js';
import { PendingConnections } from './pending-connections.js';
import type { AcceptorSettings } from './types.js';

/** What an acceptor is made from. */
export interface AcceptorParts {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly bans: Bans;
  readonly host: string;
  readonly settings: AcceptorSettings;
  /** Takes a connection over; it counts as open until `released`. */
  onConnection(connection: AcceptedConnection): void;
  /** Closes a connection that gives way to a newer one; it does not count any more. */
  cut(connectionId: string): void;
  readonly rate?: ConnectionRate;
  readonly pending?: PendingConnections;
}

/** Why connections were turned away. */
export type Rejection = 'banned' | 'rate' | 'limit';

/** Turns TCP connections into accepted ones: bans first, then rate and limit, all before any TLS work. */
export class Acceptor {
  readonly #idPrefix = randomBytes(4).toString('hex');
  readonly #open = new Set<string>();
  readonly #accepted: Counter;
  readonly #rejected: Counter;
  readonly #openGauge: Gauge;
  readonly #pendingGauge: Gauge;
  readonly #displaced: Counter;
  readonly #rejections = { banned: 0, rate: 0, limit: 0 };
  readonly #pending: PendingConnections;
  readonly #rate: ConnectionRate;
  #settings: AcceptorSettings;
  #server: Server | undefined;
  #lastId = 0;

  constructor(private readonly parts: AcceptorParts) {
    const { metrics } = parts;
    this.#settings = parts.settings;
    this.#pending = parts.pending ?? new PendingConnections();
    this.#rate = parts.rate ?? new ConnectionRate();
    this.#accepted = metrics.counter(
      'gateway_connections_accepted_total',
      'Connections that passed bans and limit.',
    );
    this.#rejected = metrics.counter(
      'gateway_connections_rejected_total',
      'Connections closed before any TLS work, by reason.',
      ['reason'],
    );
    this.#openGauge = metrics.gauge('gateway_connections_open', 'Connections that count against the limit.');
    this.#pendingGauge = metrics.gauge(
      'gateway_connections_unidentified',
      'Open connections whose peer has not proved to be an agent of the allowlist.',
    );
    this.#displaced = metrics.counter(
      'gateway_connections_displaced_total',
      'Unidentified connections that gave way to newer ones at the limit.',
    );
  }

  /** Address that it binds. */
  get host(): string {
    return this.parts.host;
  }

  /** The bound port, 0 when there is none. */
  get port(): number {
    return portOf(this.#server);
  }

  /** Connections that count against the limit. */
  get connections(): number {
    return this.#open.size;
  }

  /** Connections turned away since the start. */
  get rejections(): Readonly<Record<Rejection, number>> {
    return { ...this.#rejections };
  }

  /** Settings in force. */
  get settings(): AcceptorSettings {
    return this.#settings;
  }

  /** Limits for connections and bans that come from now on; the port stays as it is. */
  setLimits({ maxConnections, banDurationMs }: Omit<AcceptorSettings, 'port'>): void {
    this.#settings = { ...this.#settings, maxConnections, banDurationMs };
  }

  /** The port to be bound by the first `listen`. */
  setPort(port: number): void {
    this.#settings = { ...this.#settings, port };
  }

  /**
   * Binds a port, and only then lets go of the one before. Open connections stay.
   * @throws GatewayError `LISTENER_BIND_FAILED`; the port before is kept
   */
  async listen(port: number): Promise<void> {
    const server = await bind(this.parts.host, port, (socket) => this.#connected(socket));
    server.on('error', (error) => this.parts.logger.error({ err: error }, 'Listener error'));
    const before = this.#server;
    this.#server = server;
    this.#settings = { ...this.#settings, port };
    before?.close();
  }

  /** Lets go of the port. Open connections stay. */
  close(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  /** Bans an address from now on for the time that the settings say. */
  ban(address: string, reason: string): void {
    const { banDurationMs } = this.#settings;
    this.parts.bans.add(address, banDurationMs, reason);
    this.parts.logger.warn({ ip: address, reason, seconds: banDurationMs / 1_000 }, 'Address banned');
  }

  /** To be called when a connection is closed, wherever it was served. */
  released(connectionId: string): void {
    this.#open.delete(connectionId);
    this.#pending.remove(connectionId);
    this.#tellOpen();
  }

  /** To be called when the peer of a connection is known as an agent: it gives way to no other any more. */
  identified(connectionId: string): void {
    this.#pending.remove(connectionId);
    this.#tellOpen();
  }

  #connected(socket: Socket): void {
    // A peer may reset a connection at any time, also one that is about to be closed.
    socket.on('error', () => socket.destroy());
    const remote = socket.remoteAddress;
    if (remote === undefined) return void socket.destroy();
    const remoteAddress = canonicalIp(remote) ?? remote;
    if (this.parts.bans.find(remoteAddress) !== undefined) return this.#reject(socket, 'banned');
    if (!this.#rate.take(remoteAddress)) return this.#reject(socket, 'rate');
    if (this.#open.size >= this.#settings.maxConnections && !this.#displace()) {
      this.parts.logger.warn({ limit: this.#settings.maxConnections }, 'Connection limit reached');
      return this.#reject(socket, 'limit');
    }
    this.#accept(socket, remoteAddress);
  }

  #accept(socket: Socket, remoteAddress: string): void {
    const id = `${this.#idPrefix}-${(this.#lastId += 1)}`;
    this.#open.add(id);
    this.#pending.add(id);
    this.#tellOpen();
    this.#accepted.add(1);
    const remotePort = socket.remotePort ?? 0;
    this.parts.onConnection({ id, remoteAddress, remotePort, acceptedAt: Date.now(), socket });
  }

  /** Half-open sockets must not keep agents out: the oldest gives way. Whether there is a place now. */
  #displace(): boolean {
    if (this.#open.size > this.#settings.maxConnections) return false;
    const stale = this.#pending.takeStale();
    if (stale === undefined) return false;
    this.#open.delete(stale);
    this.#displaced.add(1);
    this.parts.cut(stale);
    return true;
  }

  #tellOpen(): void {
    this.#openGauge.set(this.#open.size);
    this.#pendingGauge.set(this.#pending.size);
  }

  #reject(socket: Socket, reason: Rejection): void {
    this.#rejections[reason] += 1;
    this.#rejected.add(1, { reason });
    socket.destroy();
  }
}
