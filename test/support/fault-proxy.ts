import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/**
 * What the proxy does to an insert. `cut-before`: the connection breaks before ClickHouse has it. `cut-after`: ClickHouse has
 * it and the answer is lost. `late`: the answer comes `lateMs` later. `refuse`: an error of an overloaded server.
 */
export type Fault = 'none' | 'cut-before' | 'cut-after' | 'late' | 'refuse' | 'hang';

/** An HTTP proxy before a ClickHouse that does harm to inserts; everything else passes. */
export class FaultProxy {
  readonly #server: Server;
  /** Asked for each insert. */
  fault: () => Fault = () => 'none';
  /** How late `late` answers are, ms. */
  lateMs = 2000;
  readonly done = new Map<Fault, number>();

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

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    outgoing.on('error', () => undefined);
    incoming.on('error', () => undefined);
    const body = await read(incoming).catch(() => undefined);
    if (body === undefined) return;
    const isInsert =
      decodeURIComponent(incoming.url ?? '').includes('INSERT') ||
      body.subarray(0, 6).toString() === 'INSERT';
    const fault = isInsert ? this.fault() : 'none';
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
    await this.#forward(incoming, body, outgoing, fault).catch(() => incoming.socket.destroy());
  }

  async #forward(
    incoming: IncomingMessage,
    body: Buffer,
    outgoing: ServerResponse,
    fault: Fault,
  ): Promise<void> {
    const { 'transfer-encoding': _chunked, ...headers } = incoming.headers;
    const sent = request(new URL(incoming.url ?? '/', this.target), {
      method: incoming.method,
      headers: { ...headers, 'content-length': String(body.length) },
    });
    sent.end(body);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    const text = await read(answer);
    if (fault === 'cut-after') return void incoming.socket.destroy();
    if (fault === 'late') await new Promise((resolve) => setTimeout(resolve, this.lateMs));
    const { 'transfer-encoding': _, ...answerHeaders } = answer.headers;
    outgoing.writeHead(answer.statusCode ?? 500, { ...answerHeaders, 'content-length': String(text.length) });
    outgoing.end(text);
  }
}

async function read(stream: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
