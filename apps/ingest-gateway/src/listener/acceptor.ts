import type { Server, Socket } from 'node:net';
import type { Logger } from '@activity-gateway/pipeline/api';
import type { AcceptedConnection, Admission } from '@activity-gateway/pipeline/host';
import { bind, portOf } from './bind.js';

/** What an acceptor is made from. */
export interface AcceptorDependencies {
  readonly logger: Logger;
  readonly admission: Pick<Admission, 'admit'>;
  readonly host: string;
  /** Port to be bound by the first `listen`; 0 lets the system choose. */
  readonly port: number;
  /** Takes a connection over that was admitted. */
  onConnection(connection: AcceptedConnection): void;
}

/** Listens, and asks the admission about each TCP connection before anything of it is read. */
export class Acceptor {
  #server: Server | undefined;
  #wantedPort: number;

  constructor(private readonly dependencies: AcceptorDependencies) {
    this.#wantedPort = dependencies.port;
  }

  /** Address that it binds. */
  get host(): string {
    return this.dependencies.host;
  }

  /** The bound port, 0 when there is none. */
  get port(): number {
    return portOf(this.#server);
  }

  /** The port that was asked for last. */
  get wantedPort(): number {
    return this.#wantedPort;
  }

  /** The port to be bound by the first `listen`. */
  setPort(port: number): void {
    this.#wantedPort = port;
  }

  /**
   * Binds a port, and only then lets go of the one before. Open connections stay.
   * @throws GatewayError `LISTENER_BIND_FAILED`; the port before is kept
   */
  async listen(port: number): Promise<void> {
    const server = await bind(this.dependencies.host, port, (socket) => this.#connected(socket));
    server.on('error', (error) => this.dependencies.logger.error({ err: error }, 'Listener error'));
    const before = this.#server;
    this.#server = server;
    this.#wantedPort = port;
    before?.close();
  }

  /** Lets go of the port. Open connections stay. */
  close(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  #connected(socket: Socket): void {
    // A peer may reset a connection at any time, also one that is about to be closed.
    socket.on('error', () => socket.destroy());
    const { remoteAddress: remote, remotePort = 0 } = socket;
    const decision = remote === undefined ? undefined : this.dependencies.admission.admit(remote);
    if (decision?.admitted !== true) return void socket.destroy();
    const { connectionId: id, address: remoteAddress } = decision;
    this.dependencies.onConnection({ id, remoteAddress, remotePort, acceptedAt: Date.now(), socket });
  }
}
