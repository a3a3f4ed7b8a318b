import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';

/** Key pair and certificate of an agent, PEM. */
export interface AgentCredentials {
  readonly certPem: string;
  readonly keyPem: string;
}

/**
 * A bare TLS peer, written from `docs/reference/protocol.md` alone and sharing no code with the agent library: it sends what a
 * test tells it to, right or wrong.
 */
export class RawAgent {
  #received = '';
  #closed = false;
  #error: Error | undefined;

  private constructor(
    readonly socket: TLSSocket,
    readonly tcp: Socket,
  ) {
    socket.on('data', (chunk: Buffer) => (this.#received += chunk.toString()));
    socket.on('error', (error: Error) => {
      this.#error = error;
    });
    socket.on('close', () => (this.#closed = true));
  }

  /**
   * Resolves after the handshake; rejects when there is none.
   * @param extra options of TLS, and the address to come from
   */
  static async connect(
    port: number,
    credentials?: AgentCredentials,
    { localAddress, ...extra }: ConnectionOptions & { readonly localAddress?: string } = {},
  ): Promise<RawAgent> {
    const tcp = connectTcp({ port, host: '127.0.0.1', ...(localAddress !== undefined && { localAddress }) });
    const socket = connect({
      socket: tcp,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      ...(credentials ? { cert: credentials.certPem, key: credentials.keyPem } : {}),
      ...extra,
    });
    const agent = new RawAgent(socket, tcp);
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('closed before the handshake was done')));
    });
    return agent;
  }

  /** All that the gateway has sent. */
  get received(): string {
    return this.#received;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get error(): Error | undefined {
    return this.#error;
  }

  /** Sends an object as one line of JSON, or a string as it is with a line end. */
  async send(message: unknown): Promise<void> {
    await this.sendBytes(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`);
  }

  /** Sends bytes as they are. */
  async sendBytes(bytes: string | Uint8Array): Promise<void> {
    if (!this.socket.write(bytes)) await Promise.race([once(this.socket, 'drain'), this.whenClosed()]);
  }

  /** Ends the stream cleanly and waits until the gateway has closed its side. */
  async end(): Promise<void> {
    this.socket.end();
    await this.whenClosed();
  }

  /** Breaks the connection with a reset. */
  reset(): void {
    // Node 20 cannot reset a TLS socket: what is underneath is reset.
    this.tcp.resetAndDestroy();
  }

  async whenClosed(): Promise<void> {
    if (this.#closed) return;
    await once(this.socket, 'close').then(
      () => undefined,
      () => undefined,
    );
  }
}

/** Enrolls with a token and gives the gateway's answer. */
export async function enrollRaw(
  port: number,
  credentials: AgentCredentials,
  token: string,
  hostname: string,
  localAddress?: string,
): Promise<{ Status: string; Error?: string; SpkiHash?: string }> {
  const agent = await RawAgent.connect(port, credentials, localAddress === undefined ? {} : { localAddress });
  const code = token.split('.')[1];
  await agent.send({ MessageType: 'EnrollmentRequest', EnrollmentCode: code, AgentHost: hostname });
  await agent.whenClosed();
  return JSON.parse(agent.received) as { Status: string };
}
