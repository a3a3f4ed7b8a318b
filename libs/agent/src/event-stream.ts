import { GatewayError } from '@activity-gateway/pipeline/api';
import type { TLSSocket } from 'node:tls';
import { AckReader, helloLine, type Ack, type Hello } from './acks.js';

/** Well under the gateway's shortest idle timeout of 5 s; an empty line counts as activity. */
const KEEP_ALIVE_MS = 2_000;
/** A Hello that names a stream is answered at once, or when an older connection of the stream is done with; ms. */
const ANSWER_MS = 30_000;

/**
 * A connection that events are sent over. With a Hello the gateway tells what is durable. Without one the agent cannot
 * know what the gateway has read when a connection breaks: a message handed to it then may be lost. Only after `end`
 * resolved is all of it read.
 */
export class EventStream {
  readonly #socket: TLSSocket;
  readonly #keepAlive: NodeJS.Timeout;
  readonly #closed: Promise<void>;
  #failure: GatewayError | undefined;
  #messages = 0;
  #idle = true;
  #greeted = false;
  #ending = false;
  /** Told each Ack as it comes; only with a Hello. */
  onAck: (ack: Ack) => void = () => undefined;

  /** @param hello sent at once, before any message */
  constructor(socket: TLSSocket, hello?: Hello) {
    this.#socket = socket;
    this.#closed = this.#watch();
    if (hello !== undefined) this.#greet(hello);
    // Whatever the gateway says is read, so that its end of the stream is seen.
    socket.resume();
    this.#keepAlive = setInterval(() => this.#sendKeepAlive(), KEEP_ALIVE_MS);
  }

  /** Messages handed to this connection so far. */
  get messages(): number {
    return this.#messages;
  }

  /** Why the connection is of no use any more, once it is. */
  get failure(): GatewayError | undefined {
    return this.#failure;
  }

  /** Resolves when the connection is closed, for whatever reason. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /**
   * Hands messages to the connection and resolves when there is room for more: that is the gateway's back-pressure.
   * @param data     whole lines, each with its LF
   * @param messages how many
   * @throws GatewayError `AGENT_CONNECTION_LOST`; look at `messages` to see whether these were handed over
   */
  async send(data: string | Uint8Array, messages: number): Promise<void> {
    if (this.#failure !== undefined || this.#ending) throw this.#failure ?? connectionLost('it was ended');
    this.#messages += messages;
    this.#idle = false;
    if (!this.#socket.write(data)) await this.#drained();
  }

  /**
   * Ends the stream: the gateway reads what is left and closes.
   * @throws GatewayError `AGENT_CONNECTION_LOST` when it broke before, or was not closed within the time in ms:
   *   messages may be lost then
   */
  async end(timeoutMs: number): Promise<void> {
    this.#ending = true;
    const timer = setTimeout(() => this.#fail('the gateway has not read everything in time'), timeoutMs);
    if (this.#failure === undefined) this.#socket.end();
    await this.#closed;
    clearTimeout(timer);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Closes the connection at once; what the gateway has not read is lost. Safe twice. */
  destroy(): void {
    this.#fail('it was closed on request');
  }

  #greet(hello: Hello): void {
    const reader = new AckReader();
    const timer = setTimeout(() => this.#failWith(noAcks()), ANSWER_MS);
    this.#socket.write(helloLine(hello));
    this.#greeted = true;
    this.#socket.once('close', () => clearTimeout(timer));
    this.#socket.on('data', (chunk: Buffer) => {
      clearTimeout(timer);
      if (this.#failure === undefined) this.#read(reader, chunk);
    });
  }

  #read(reader: AckReader, chunk: Buffer): void {
    try {
      for (const ack of reader.push(chunk, this.#messages)) this.onAck(ack);
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      this.#failWith(error);
    }
  }

  #watch(): Promise<void> {
    const socket = this.#socket;
    socket.on('error', (error: Error) => this.#fail(error.message));
    // The gateway closed before the agent had finished: it has something against this agent, or it stops.
    socket.on('end', () => {
      if (!socket.writableFinished) this.#fail('the gateway closed it');
    });
    return new Promise((resolve) => {
      socket.on('close', () => {
        clearInterval(this.#keepAlive);
        if (!this.#ending || !socket.readableEnded) this.#fail('it was closed');
        resolve();
      });
    });
  }

  #fail(reason: string): void {
    this.#failWith(connectionLost(reason));
  }

  #failWith(error: GatewayError): void {
    this.#failure ??= error;
    this.#socket.destroy();
  }

  #drained(): Promise<void> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        socket.off('drain', settle).off('close', settle);
        if (this.#failure === undefined) resolve();
        else reject(this.#failure);
      };
      socket.on('drain', settle).on('close', settle);
    });
  }

  #sendKeepAlive(): void {
    const begun = this.#greeted || this.#messages > 0;
    if (this.#idle && !this.#ending && begun) this.#socket.write('\n');
    this.#idle = true;
  }
}

function noAcks(): GatewayError {
  return new GatewayError(
    'AGENT_NO_ACKS',
    'The gateway did not answer the request for acknowledgements.',
    'A gateway that does not know them is served without: --no-ack.',
  );
}

function connectionLost(reason: string): GatewayError {
  return new GatewayError('AGENT_CONNECTION_LOST', `The connection to the gateway is lost: ${reason}.`);
}
