import { GatewayError } from '@app/pipeline/api';
import type { TLSSocket } from 'node:tls';

/** Well under the gateway's shortest idle timeout of 5 s; an empty line counts as activity. */
const KEEP_ALIVE_MS = 2_000;

/**
 * A connection that events are sent over. Without Acks the agent cannot know what the gateway has read when a
 * connection breaks: a message handed to it then may be lost. Only after `end` resolved is all of it read.
 */
export class EventStream {
  readonly #socket: TLSSocket;
  readonly #keepAlive: NodeJS.Timeout;
  readonly #closed: Promise<void>;
  #failure: GatewayError | undefined;
  #messages = 0;
  #idle = true;
  #ending = false;

  constructor(socket: TLSSocket) {
    this.#socket = socket;
    this.#closed = this.#watch();
    // Whatever the gateway says is read, so that its end of the stream is seen; Acks would be taken here.
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
    this.#failure ??= connectionLost(reason);
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
    if (this.#idle && !this.#ending && this.#messages > 0) this.#socket.write('\n');
    this.#idle = true;
  }
}

function connectionLost(reason: string): GatewayError {
  return new GatewayError('AGENT_CONNECTION_LOST', `The connection to the gateway is lost: ${reason}.`);
}
