import type { Batch } from '../api/index.js';

/** How an event can end. */
export type Outcome = 'delivered' | 'deadLettered' | 'filtered' | 'dropped';

/** Why events are dropped: a bounded set, as it is a label of a metric. */
export const DROP_REASONS = {
  shutdown: 'shutdown deadline',
  stopped: 'given after the stop',
  deadLetter: 'dead letter not encodable',
  queue: 'lost by the queue',
  damaged: 'damaged in the spool',
  internal: 'internal error',
} as const;

/** One of the reasons. */
export type DropReason = (typeof DROP_REASONS)[keyof typeof DROP_REASONS];

/** What is still open of one source batch, however many parts and groups it was cut into. Settles the batch when nothing is. */
export class PendingBatch {
  /** Events and rejects the batch was emitted with. */
  readonly size: number;
  /** Raw bytes it holds credit for. */
  readonly bytes: number;
  /** Whose credit that is: the connection it came over. */
  readonly connectionId: string;
  #open: number;
  #delivered = 0;
  #deadLettered = 0;
  #filtered = 0;
  #dropped = 0;
  #reason: DropReason | undefined;

  constructor(
    private readonly batch: Batch,
    private readonly onSettled: (pendingBatch: PendingBatch) => void,
  ) {
    this.size = batch.size;
    this.bytes = batch.bytes;
    this.connectionId = batch.origin.connectionId;
    this.#open = this.size;
  }

  /** Events that have not ended yet. */
  get open(): number {
    return this.#open;
  }

  /** Whether some of its events were dropped. */
  get lossy(): boolean {
    return this.#dropped > 0;
  }

  /** Some events have ended; what is above the open ones is left out. */
  add(outcome: Outcome, events: number, reason?: DropReason): void {
    const count = Math.min(events, this.#open);
    if (count === 0) return;
    this.#open -= count;
    if (outcome === 'delivered') this.#delivered += count;
    else if (outcome === 'deadLettered') this.#deadLettered += count;
    else if (outcome === 'filtered') this.#filtered += count;
    else this.#dropped += count;
    this.#reason ??= reason;
    if (this.#open === 0) this.#settle();
  }

  #settle(): void {
    this.batch.settle({
      delivered: this.#delivered,
      deadLettered: this.#deadLettered,
      ...(this.#filtered > 0 && { filtered: this.#filtered }),
      dropped: this.#dropped,
      ...(this.#reason !== undefined && { reason: this.#reason }),
    });
    this.onSettled(this);
  }
}
