import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy that a test can make hang: it takes connections and passes nothing on until it is opened. */
export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #open = false;

  private constructor(private readonly targetPort: number) {
    this.#server = createServer((socket) => this.#take(socket));
  }

  /** Listens on a port that the system chooses; hangs until `open`. */
  static async start(targetPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort);
    proxy.#server.listen(0, '127.0.0.1');
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

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #take(socket: Socket): void {
    this.#keep(socket);
    if (!this.#open) return;
    const target = connect(this.targetPort, '127.0.0.1');
    this.#keep(target);
    socket.pipe(target).pipe(socket);
    socket.on('close', () => target.destroy());
    target.on('close', () => socket.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
