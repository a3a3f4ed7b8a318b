import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  request,
  type ClientRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';

/**
 * What the proxy does to an insert. `cut-before`: the connection breaks before ClickHouse has it. `cut-after`: ClickHouse has
 * it and the answer is lost. `late`: the answer comes `lateMs` later. `refuse`: an error of an overloaded server. `hang`:
 * ClickHouse does not get it and no answer comes. `hang-after`: ClickHouse has it and no answer comes.
 */
export type Fault = 'none' | 'cut-before' | 'cut-after' | 'late' | 'refuse' | 'hang' | 'hang-after';

/**
 * Where an insert is when it is caught. `before`: ClickHouse has nothing of it. `half`: ClickHouse has half of its bytes.
 * `inside`: ClickHouse has all of it and has not answered. `committed`: ClickHouse has answered, the gateway does not know.
 * `after`: the answer is on its way to the gateway.
 */
export type Moment = 'before' | 'half' | 'inside' | 'committed' | 'after';

/** An insert that was caught. */
export interface CaughtInsert {
  /** Its `insert_deduplication_token`. */
  readonly token: string;
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly body: Buffer;
  readonly outgoing: ServerResponse;
}

interface Trap {
  readonly moment: Moment;
  readonly caught: (insert: CaughtInsert) => void;
}

/** An HTTP proxy before a ClickHouse that does harm to inserts, or stops one at a moment; everything else passes. */
export class FaultProxy {
  readonly #server: Server;
  /** Asked for each insert. */
  fault: () => Fault = () => 'none';
  /** How late `late` answers are, ms. */
  lateMs = 2000;
  readonly done = new Map<Fault, number>();
  /** What was sent under each token, as hashes of the bytes: a token must never stand for two contents. */
  readonly contents = new Map<string, Set<string>>();
  #trap: Trap | undefined;
  /** While an insert is caught, further ones wait here. */
  #waiting: (() => void)[] | undefined;

  private constructor(private readonly target: string) {
    this.#server = createServer((incoming, outgoing) => void this.#serve(incoming, outgoing));
  }

  static async start(target: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  /**
   * Stops the next insert at a moment; `caught` is called at once and in the same turn, so that what it kills is killed
   * there. That insert goes no further, and further ones wait, until `release`.
   */
  catchNext(moment: Moment, caught: (insert: CaughtInsert) => void): void {
    this.#trap = { moment, caught };
  }

  /** Lets inserts through again; the caught one is given up, as its sender is no more. */
  release(): void {
    this.#trap = undefined;
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const go of waiting) go();
  }

  /** Breaks what hangs, as a server does that ends. */
  breakConnections(): void {
    this.#server.closeAllConnections();
  }

  async close(): Promise<void> {
    this.release();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    outgoing.on('error', () => undefined);
    incoming.on('error', () => undefined);
    const body = await read(incoming).catch(() => undefined);
    if (body === undefined) return;
    const exchange = { incoming, body, outgoing };
    if (!isInsert(exchange)) return this.#forward(exchange);
    const token = tokenOf(incoming);
    if (this.#waiting !== undefined) await new Promise<void>((go) => this.#waiting?.push(go));
    // A sender that has ended meanwhile has sent nothing.
    if (incoming.socket.destroyed) return;
    this.#note(incoming, token, body);
    const trap = this.#trap;
    if (trap === undefined) return this.#harm(exchange);
    this.#trap = undefined;
    this.#waiting = [];
    await this.#stopAt(exchange, trap.moment, () => trap.caught({ token }));
  }

  #note({ url }: IncomingMessage, token: string, body: Buffer): void {
    // What completes a batch that is stored in part sends the missing entries, and says so with a condition.
    if (decodeURIComponent(url ?? '').includes('WHERE')) return;
    const hashes = this.contents.get(token) ?? new Set();
    this.contents.set(token, hashes.add(createHash('sha256').update(body).digest('hex')));
  }

  async #harm(exchange: Exchange): Promise<void> {
    const { incoming, outgoing } = exchange;
    const fault = this.fault();
    this.done.set(fault, (this.done.get(fault) ?? 0) + 1);
    if (fault === 'hang') return;
    if (fault === 'cut-before') return void incoming.socket.destroy();
    if (fault === 'refuse') {
      outgoing.writeHead(500, { 'x-clickhouse-exception-code': '202' });
      outgoing.end(
        'Code: 202. DB::Exception: Too many simultaneous queries. (TOO_MANY_SIMULTANEOUS_QUERIES)',
      );
      return;
    }
    await this.#forward(exchange, async () => {
      if (fault === 'cut-after') incoming.socket.destroy();
      if (fault === 'late') await new Promise((resolve) => setTimeout(resolve, this.lateMs));
      return fault !== 'cut-after' && fault !== 'hang-after';
    });
  }

  /** Takes an insert as far as the moment. What ClickHouse has got whole goes on there, as after the end of a gateway. */
  async #stopAt(exchange: Exchange, moment: Moment, caught: () => void): Promise<void> {
    const { incoming, body, outgoing } = exchange;
    if (moment === 'before') return caught();
    if (moment === 'half') {
      const sent = this.#open(incoming, body.length);
      incoming.socket.once('close', () => sent.destroy());
      sent.write(body.subarray(0, body.length >> 1), caught);
      return;
    }
    if (moment === 'after') outgoing.once('finish', caught);
    await this.#forward(
      exchange,
      async () => {
        if (moment === 'committed') caught();
        return moment === 'after';
      },
      moment === 'inside' ? caught : undefined,
    );
  }

  /** Sends a request on; `answer` says whether its answer goes back, `sent` is called when ClickHouse has the whole request. */
  async #forward(
    { incoming, body, outgoing }: Exchange,
    answer: () => Promise<boolean> = () => Promise.resolve(true),
    sent?: () => void,
  ): Promise<void> {
    try {
      const forwarded = this.#open(incoming, body.length);
      forwarded.end(body, sent);
      const [response] = (await once(forwarded, 'response')) as [IncomingMessage];
      const text = await read(response);
      if (!(await answer())) return;
      const { 'transfer-encoding': _, ...headers } = response.headers;
      outgoing.writeHead(response.statusCode ?? 500, { ...headers, 'content-length': String(text.length) });
      outgoing.end(text);
    } catch {
      incoming.socket.destroy();
    }
  }

  #open(incoming: IncomingMessage, length: number): ClientRequest {
    const { 'transfer-encoding': _, ...headers } = incoming.headers;
    const forwarded = request(new URL(incoming.url ?? '/', this.target), {
      method: incoming.method,
      headers: { ...headers, 'content-length': String(length) },
    });
    return forwarded.on('error', () => undefined);
  }
}

function isInsert({ incoming, body }: Exchange): boolean {
  return (
    decodeURIComponent(incoming.url ?? '').includes('INSERT') || body.subarray(0, 6).toString() === 'INSERT'
  );
}

function tokenOf({ url }: IncomingMessage): string {
  return new URL(url ?? '/', 'http://localhost').searchParams.get('insert_deduplication_token') ?? '';
}

async function read(stream: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
