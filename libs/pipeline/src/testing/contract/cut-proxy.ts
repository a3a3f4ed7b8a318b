import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * A TCP proxy that breaks everything off at one point: instead of passing on a certain piece of what is sent, in either
 * direction, it closes all connections and takes no more. Cut at every point in turn, it stands for a crash at each of them.
 */
export class CutProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #passed = 0;
  #cut = false;

  private constructor(
    private readonly target: number,
    private readonly point: number,
  ) {
    this.#server = createServer((client) => this.#take(client));
  }

  /**
   * Listens on a free port of 127.0.0.1.
   * @param target port of the destination on 127.0.0.1
   * @param point  the piece that is not passed on any more, from 1
   */
  static async start(target: number, point: number): Promise<CutProxy> {
    const proxy = new CutProxy(target, point);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Whether the point has been reached. */
  get isCut(): boolean {
    return this.#cut;
  }

  async close(): Promise<void> {
    this.#end();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #take(client: Socket): void {
    const server = connect(this.target, '127.0.0.1');
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(from);
      from.on('data', (piece) => this.#pass(piece, to));
      from.on('error', () => undefined);
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
    if (this.#cut) this.#end();
  }

  #pass(piece: Buffer, to: Socket): void {
    this.#passed += 1;
    if (this.#passed < this.point) {
      to.write(piece);
      return;
    }
    this.#cut = true;
    this.#end();
  }

  #end(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
