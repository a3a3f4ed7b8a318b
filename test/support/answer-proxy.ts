import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** What ClickHouse has answered. */
export interface RealAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: Buffer;
}

/** A request on its way to ClickHouse. */
export interface ProxiedRequest {
  /** The statement, from the address or, where that has none, the body. */
  readonly statement: string;
  readonly body: Buffer;
  /** Answers the client. */
  readonly response: ServerResponse;
  /** Sends the request to ClickHouse, once for each call; the client hears nothing of it. */
  readonly forward: () => Promise<RealAnswer>;
}

/** What a proxy does instead of passing on what ClickHouse says. */
export type Answering = (request: ProxiedRequest) => void | Promise<void>;

/** An HTTP proxy before a ClickHouse that gives answers of its own, for tests. */
export class AnswerProxy {
  readonly #server: Server;
  /** Asked for each request; `undefined` = it is passed on. */
  choose: (request: ProxiedRequest) => Answering | undefined = () => undefined;
  /** Statements that have come, in order. */
  readonly statements: string[] = [];

  private constructor(private readonly target: string) {
    this.#server = createServer((incoming, response) => void this.#serve(incoming, response));
  }

  static async start(target: string): Promise<AnswerProxy> {
    const proxy = new AnswerProxy(target);
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

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks);
      const given = new URL(incoming.url ?? '/', this.target).searchParams.get('query');
      const statement = given ?? body.toString();
      this.statements.push(statement);
      const forward = (): Promise<RealAnswer> => this.#forward(incoming, body);
      const request = { statement, body, response, forward };
      await (this.choose(request) ?? pass)(request);
    } catch {
      incoming.socket.destroy();
    }
  }

  async #forward(incoming: IncomingMessage, body: Buffer): Promise<RealAnswer> {
    const own = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'accept-encoding']);
    const headers = Object.entries(incoming.headers).filter(([name]) => !own.has(name));
    const answer = await fetch(this.target + (incoming.url ?? '/'), {
      method: incoming.method ?? 'POST',
      headers: [...headers.map(([name, value]): [string, string] => [name, String(value)])],
      ...(body.length > 0 && { body }),
    });
    const kept = [...answer.headers].filter(([name]) => name.startsWith('x-') || name === 'content-type');
    return {
      status: answer.status,
      headers: Object.fromEntries(kept),
      text: Buffer.from(await answer.arrayBuffer()),
    };
  }
}

/** Passes on what ClickHouse says. */
export const pass: Answering = async ({ forward, response }) => {
  const { status, headers, text } = await forward();
  response.writeHead(status, headers).end(text);
};
