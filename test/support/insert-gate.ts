import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** An HTTP proxy in front of ClickHouse that can hold inserts back, so that a test sees how many come at a time. */
export class InsertGate {
  readonly #server: Server;
  readonly #held = new Set<() => void>();
  #holding = false;

  private constructor(private readonly target: string) {
    this.#server = createServer((incoming, answer) => this.#take(incoming, answer));
  }

  /** Listens on a port that the system chooses; lets everything through until `hold`. */
  static async start(target: string): Promise<InsertGate> {
    const gate = new InsertGate(target);
    gate.#server.listen(0, '127.0.0.1');
    await once(gate.#server, 'listening');
    return gate;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  /** Inserts that are held now. */
  get held(): number {
    return this.#held.size;
  }

  /** Holds inserts back from now on; everything else passes. */
  hold(): void {
    this.#holding = true;
  }

  /** Lets what is held go on, and everything after it through. */
  release(): void {
    this.#holding = false;
    for (const go of [...this.#held]) go();
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #take(incoming: IncomingMessage, answer: ServerResponse): void {
    const isInsert = /[?&]query=INSERT/i.test(incoming.url ?? '');
    if (!this.#holding || !isInsert) return this.#pass(incoming, answer);
    const go = (): void => {
      this.#held.delete(go);
      if (!answer.destroyed) this.#pass(incoming, answer);
    };
    this.#held.add(go);
    answer.once('close', () => this.#held.delete(go));
  }

  #pass(incoming: IncomingMessage, answer: ServerResponse): void {
    const { method, headers, url } = incoming;
    const outgoing = request(this.target + (url ?? ''), { method, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    outgoing.on('error', () => answer.destroy());
    incoming.pipe(outgoing);
  }
}
