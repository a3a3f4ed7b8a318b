import type { MessageChunk } from './message-source.js';

/** What an agent did so far; a display may read it at any time. */
export class AgentProgress {
  readonly #sentByKind = new Map<string, number>();
  #sent = 0;
  #unconfirmed = 0;
  #reconnects = 0;
  #connected = false;
  #lastError: string | undefined;

  /** Messages handed to a connection. */
  get sent(): number {
    return this.#sent;
  }

  /** The same by the kinds of the message source. */
  get sentByKind(): ReadonlyMap<string, number> {
    return this.#sentByKind;
  }

  /**
   * Messages handed to connections that broke: the gateway has read some or all of them, which an agent cannot know
   * without Acks. They are not sent again, so none arrives twice and at most these are lost.
   */
  get unconfirmed(): number {
    return this.#unconfirmed;
  }

  /** Connections after the first. */
  get reconnects(): number {
    return this.#reconnects;
  }

  /** Whether a connection is open. */
  get connected(): boolean {
    return this.#connected;
  }

  /** Why the last connection failed or could not be made, until one is open again. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** A connection is open. */
  opened(first: boolean): void {
    this.#connected = true;
    this.#lastError = undefined;
    if (!first) this.#reconnects += 1;
  }

  /** Messages were handed to the connection. */
  handedOver(chunk: MessageChunk): void {
    for (const [kind, count] of chunk.counts) {
      this.#sent += count;
      this.#sentByKind.set(kind, (this.#sentByKind.get(kind) ?? 0) + count);
    }
  }

  /** The connection is closed in order. */
  closed(): void {
    this.#connected = false;
  }

  /** The connection broke or could not be made; `messages` had been handed to it. */
  failed(reason: string, messages: number): void {
    this.#connected = false;
    this.#lastError = reason;
    this.#unconfirmed += messages;
  }
}
