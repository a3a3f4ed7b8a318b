import type { Socket } from 'node:net';
import { GatewayError, type AcceptedConnection, type ConnectionFeed } from '@app/pipeline/api';
import type { Port } from './port.js';

type Announced = Omit<AcceptedConnection, 'socket'>;

/** Connections that come from the control plane, on their way to the source that takes them. */
export class ConnectionInbox implements ConnectionFeed {
  readonly #open = new Map<string, Socket>();
  #taker: ((connection: AcceptedConnection) => void) | undefined;
  #closeTaken: (() => void) | undefined;

  constructor(private readonly port: Port) {}

  /** Connections taken and not closed yet. */
  get size(): number {
    return this.#open.size;
  }

  /** @throws GatewayError when somebody takes connections already */
  take(handler: (connection: AcceptedConnection) => void, closeAll?: () => void): () => void {
    if (this.#taker !== undefined) {
      throw new GatewayError(
        'CONNECTIONS_TAKEN',
        'Two sources want the connections of agents.',
        'Let only one pipeline use a source such as sources.nam_tls.',
      );
    }
    this.#taker = handler;
    this.#closeTaken = closeAll;
    return () => {
      if (this.#taker === handler) this.#taker = this.#closeTaken = undefined;
    };
  }

  /** Has every open connection closed: in order by its taker where that knows how, otherwise by cutting its socket. */
  closeAll(): void {
    if (this.#closeTaken !== undefined) return this.#closeTaken();
    for (const socket of this.#open.values()) socket.destroy();
  }

  identified(connectionId: string): void {
    this.port.send({ type: 'connection-identified', id: connectionId });
  }

  /** Cuts a connection that gives way to a newer one. */
  cut(connectionId: string): void {
    this.#open.get(connectionId)?.destroy();
  }

  closed(connectionId: string): void {
    if (this.#open.delete(connectionId)) this.port.send({ type: 'connection-closed', id: connectionId });
  }

  /** Takes a connection in. A socket that got lost on its way, or that nobody takes, counts as closed. */
  accept(announced: Announced, socket: Socket | undefined): void {
    if (socket === undefined || this.#taker === undefined) {
      socket?.on('error', () => undefined).destroy();
      this.port.send({ type: 'connection-closed', id: announced.id });
      return;
    }
    this.#open.set(announced.id, socket);
    this.#taker({ ...announced, socket });
  }
}
