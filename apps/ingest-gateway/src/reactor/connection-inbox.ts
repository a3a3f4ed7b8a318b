import type { Socket } from 'node:net';
import { GatewayError, type ConnectionEnd } from '@activity-gateway/pipeline/api';
import type { AcceptedConnection, ConnectionFeed, ConnectionTaker } from '@activity-gateway/pipeline/host';
import type { ReactorChannel } from './messages.js';

type Announced = Omit<AcceptedConnection, 'socket'>;

/** Connections that come from the control plane, on their way to the source that takes them. */
export class ConnectionInbox implements ConnectionFeed {
  readonly #open = new Map<string, Socket>();
  #taker: ConnectionTaker | undefined;

  constructor(private readonly channel: Pick<ReactorChannel, 'notify'>) {}

  /** Connections taken and not closed yet. */
  get size(): number {
    return this.#open.size;
  }

  take(taker: ConnectionTaker): () => void {
    if (this.#taker !== undefined) {
      throw new GatewayError(
        'CONNECTIONS_TAKEN',
        'Two sources want the connections of agents.',
        'Let only one pipeline use a source such as sources.nam_tls.',
      );
    }
    this.#taker = taker;
    return () => {
      if (this.#taker === taker) this.#taker = undefined;
    };
  }

  /** Has every open connection closed: gracefully by its taker, or by cutting its socket. */
  closeAll(): void {
    if (this.#taker !== undefined) return this.#taker.closeAll();
    for (const socket of this.#open.values()) socket.destroy();
  }

  identified(connectionId: string, key: string): void {
    this.channel.notify({ type: 'connection-identified', id: connectionId, key });
  }

  violated(connectionId: string, reason: string): void {
    this.channel.notify({ type: 'connection-violated', id: connectionId, reason });
  }

  /** Cuts a connection. */
  cut(connectionId: string): void {
    this.#open.get(connectionId)?.destroy();
  }

  /** Ends a connection: gracefully by its taker, or by cutting its socket. */
  end(connectionId: string, reason: ConnectionEnd): void {
    if (this.#taker === undefined) this.cut(connectionId);
    else this.#taker.end(connectionId, reason);
  }

  /** How long connections have been silent, ms; a taker that cannot tell counts as one whose connections never are. */
  silences(ids: readonly string[]): Readonly<Record<string, number>> {
    const silences: Record<string, number> = {};
    for (const id of ids) if (this.#open.has(id)) silences[id] = this.#taker?.silentMs(id) ?? 0;
    return silences;
  }

  closed(connectionId: string): void {
    if (this.#open.delete(connectionId)) this.channel.notify({ type: 'connection-closed', id: connectionId });
  }

  /** Takes a connection in. A socket that got lost on its way, or that nobody takes, counts as closed. */
  accept(announced: Announced, socket: Socket | undefined): void {
    // A peer may reset a connection at any time, also one that nobody reads yet; the socket closes then by itself.
    socket?.on('error', () => undefined);
    if (socket === undefined || this.#taker === undefined) {
      socket?.destroy();
      this.channel.notify({ type: 'connection-closed', id: announced.id });
      return;
    }
    this.#open.set(announced.id, socket);
    this.#taker.accept({ ...announced, socket });
  }
}
