import type { Writable } from 'node:stream';
import type { Batch } from '@activity-gateway/pipeline/api';
import { AckSender } from './ack-sender.js';
import { AckTracker } from './ack-tracker.js';
import type { CloseReason } from './source-metrics.js';

/** Least time between two Acks of a connection, ms: an agent should know within 100 ms, of which the flush has its part. */
const ACK_INTERVAL_MS = { min: 20, max: 500 };
/** Acks that a process sends in a millisecond at most: each costs about 15 us. */
const ACKS_PER_MS = 2.5;
/** How long a peer that asked for Acks may leave one unread, ms. */
const ACK_UNREAD_MS = 30_000;

/** What a session of acknowledgements is made from. */
export interface AckSessionOptions {
  /** Where Acks are written. */
  readonly socket: Writable;
  /** Name of this gateway, for the answer to the Hello. */
  readonly gateway: string;
  /** The connection cannot go on: messages were dropped, or the peer does not read its Acks. Called at most once each. */
  readonly onFailure: (reason: Extract<CloseReason, 'not_durable' | 'acks_unread'>) => void;
  /** Connections that may get Acks from this process now. */
  readonly connections: () => number;
}

/** Time between two Acks of one connection, ms: the more connections, the longer, so that Acks never crowd out events. */
export function ackIntervalMs(connections: number): number {
  return Math.min(ACK_INTERVAL_MS.max, Math.max(ACK_INTERVAL_MS.min, connections / ACKS_PER_MS));
}

/** Tells one agent, which asked for it with a Hello, how far its messages are durable. */
export class AckSession {
  readonly #tracker = new AckTracker();
  readonly #sender: AckSender;
  #waiting: (() => void)[] = [];
  #handedOver = false;
  #stopped = false;

  constructor(private readonly options: AckSessionOptions) {
    const { socket, connections } = options;
    this.#sender = new AckSender(socket, {
      intervalMs: () => ackIntervalMs(connections()),
      unreadMs: ACK_UNREAD_MS,
      onSent: () => this.#wake(),
      onUnread: () => {
        options.onFailure('acks_unread');
        this.stop();
      },
    });
    socket.once('close', () => this.stop());
  }

  /** Answers a Hello that asks for more than Acks. `sequence`: last number of the stream that is durable, if known. */
  answer(sequence?: number): void {
    this.#sender.answer({ gateway: this.options.gateway, sequence });
  }

  /** Follows the next messages of the connection; to be called before the batch is emitted. */
  follow(batch: Batch): void {
    const settled = this.#tracker.follow(batch.size);
    void batch.settled.then((settlement) => {
      const lostBefore = this.#tracker.lost;
      settled(settlement);
      this.#sender.report(this.#tracker.durable);
      if (this.#tracker.lost && !lostBefore) this.options.onFailure('not_durable');
      this.#wake();
    });
  }

  /** The next messages of the connection are durable already, and are not emitted. */
  skip(messages: number): void {
    this.#tracker.skip(messages);
    this.#sender.report(this.#tracker.durable);
  }

  /** No further message of this connection will be followed. */
  handedOver(): void {
    this.#handedOver = true;
    this.#wake();
  }

  /** Waits until all that can be acknowledged is, but no longer than the time in ms, or until `stop`. */
  async finish(timeoutMs: number): Promise<void> {
    this.#sender.flush();
    const timer = setTimeout(() => this.stop(), timeoutMs);
    await this.#until(() => this.#stopped || (this.#tracker.complete && this.#sender.idle));
    clearTimeout(timer);
    this.stop();
  }

  /** Resolves when no message of this connection is on its way any more, durable or dropped; maybe never. */
  settled(): Promise<void> {
    return this.#until(() => this.#handedOver && this.#tracker.open === 0);
  }

  /** Ends the sending; a `finish` that waits returns. Safe twice. */
  stop(): void {
    this.#stopped = true;
    this.#sender.stop();
    this.#wake();
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resume of this.#waiting.splice(0)) resume();
  }
}
