import type { MessageChunk } from './message-source.js';

/** What an agent did so far; a display may read it at any time. */
export class AgentProgress {
  readonly #sentByKind = new Map<string, number>();
  #sent = 0;
  #unconfirmed = 0;
  #acknowledged = 0;
  #resent = 0;
  #maybeTwice = 0;
  #reconnects = 0;
  #connected = false;
  #lastError: string | undefined;

  /** Messages handed to a connection, each counted once. */
  get sent(): number {
    return this.#sent;
  }

  /** The same by the kinds of the message source. */
  get sentByKind(): ReadonlyMap<string, number> {
    return this.#sentByKind;
  }

  /**
   * Without Acks: messages handed to connections that broke. The gateway has read some or all of them, which an agent
   * cannot know. They are not sent again, so none arrives twice and at most these are lost. With Acks: messages that
   * were given up unacknowledged when the agent ended.
   */
  get unconfirmed(): number {
    return this.#unconfirmed;
  }

  /** Messages that the gateway has told to be durable. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  /** Messages handed to a connection again, because one before broke before they were acknowledged. */
  get resent(): number {
    return this.#resent;
  }

  /** Those of them that went to a gateway which does not recognise them: some may be stored twice. */
  get maybeTwice(): number {
    return this.#maybeTwice;
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

  /** Messages are durable at the gateway. */
  confirmed(messages: number): void {
    this.#acknowledged += messages;
  }

  /** Messages were handed to a connection that had been handed to one before. */
  handedOverAgain(messages: number): void {
    this.#resent += messages;
  }

  /** A connection ended whose gateway did not recognise what was sent to it again. */
  notRecognised(messages: number): void {
    this.#maybeTwice += messages;
  }

  /** The agent ends and gives these up. */
  leftUnacknowledged(messages: number): void {
    this.#unconfirmed += messages;
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
