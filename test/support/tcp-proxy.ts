import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Which side of a proxied connection gets a reset; the other one sees the connection close, or a reset as well. */
export type ResetSide = 'client' | 'server' | 'both';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** A TCP proxy that a test can make hang: it takes connections and passes nothing on until it is opened. */
export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #pairs = new Set<Pair>();
  #open = false;

  private constructor(private readonly targetPort: number) {
    // Half-open: what one side has still to say after the other has ended goes through.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#take(socket));
  }

  /** Listens, by default on a port that the system chooses; hangs until `open`. */
  static async start(targetPort: number, port = 0): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort);
    proxy.#server.listen(port, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Passes on from now; connections that hung are reset, so that clients come again. */
  open(): void {
    this.#open = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Hangs from now, with the connections that are open. */
  hang(): void {
    this.#open = false;
    for (const socket of this.#sockets) socket.unpipe();
  }

  /** Breaks connections with a TCP reset: each for which `chosen` is true, in the order they came. Gives how many. */
  reset(side: ResetSide, chosen: () => boolean = () => true): number {
    const broken = [...this.#pairs].filter(chosen);
    for (const { client, server } of broken) {
      if (side === 'server') client.destroy();
      else client.resetAndDestroy();
      if (side === 'client') server.destroy();
      else server.resetAndDestroy();
    }
    return broken.length;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #take(client: Socket): void {
    this.#keep(client);
    if (!this.#open) return;
    const server = connect({ port: this.targetPort, host: '127.0.0.1', allowHalfOpen: true });
    this.#keep(server);
    const pair = { client, server };
    this.#pairs.add(pair);
    client.pipe(server).pipe(client);
    client.on('close', () => {
      server.destroy();
      this.#pairs.delete(pair);
    });
    server.on('close', () => client.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
