import type { Batch } from '../api/index.js';
import type { PipelineCounters } from './counters.js';
import { DROP_REASONS, PendingBatch, type DropReason } from './pending-batch.js';
import type { Appended, OutcomeCounts } from './queue.js';

/** Some events of one source batch. */
export interface PendingCount {
  readonly pendingBatch: PendingBatch;
  readonly count: number;
}

/** Events that end together, because they are in the same queue entries. */
export interface EventGroup {
  readonly outcome: OutcomeCounts['outcome'] | 'filtered';
  readonly pendingCounts: readonly PendingCount[];
}

/** Sees every event to its end: settles source batches, gives credit back, counts. */
export class BatchTracker {
  readonly #open = new Set<PendingBatch>();
  #closed = false;

  /** @param onSettled called once for each source batch, when nothing of it is open */
  constructor(
    private readonly counters: PipelineCounters,
    private readonly onSettled: (pendingBatch: PendingBatch) => void,
  ) {}

  /** Begins to follow a source batch. */
  receive(batch: Batch): PendingBatch {
    const pendingBatch = new PendingBatch(batch, (settled) => {
      this.#open.delete(settled);
      this.onSettled(settled);
    });
    this.#open.add(pendingBatch);
    this.counters.received(pendingBatch.size, pendingBatch.bytes);
    return pendingBatch;
  }

  /** Settles a batch that came too late. */
  refuse(batch: Batch, reason: DropReason): void {
    const { size } = batch;
    this.counters.received(size, batch.bytes);
    if (size > 0) this.counters.dropped(reason, size);
    batch.settle({ delivered: 0, deadLettered: 0, dropped: size, reason });
  }

  /**
   * The group's batches settle when all it was appended as is safe. Filtered events are counted then, others when the queue
   * tells that they are written.
   */
  follow({ outcome, pendingCounts }: EventGroup, appended: readonly Appended[]): void {
    all(appended.map(({ safe }) => safe)).then(
      () => this.#settle(outcome, pendingCounts),
      () => this.drop(pendingCounts, DROP_REASONS.queue),
    );
  }

  /**
   * The queue has written events.
   * @param own whether they were received by this pipeline, and not by one before it
   */
  written({ outcome, counts }: OutcomeCounts, own: boolean): void {
    if (this.#closed) return;
    for (const [key, count] of counts) {
      if (own) this.counters[outcome](key, count);
      else this.counters.recovered(count);
    }
  }

  /** The queue has lost events that it had called safe. */
  lost({ counts }: OutcomeCounts, own: boolean): void {
    if (this.#closed || !own) return;
    for (const count of counts.values()) this.counters.dropped(DROP_REASONS.damaged, count);
  }

  /** Gives events up. */
  drop(pendingCounts: readonly PendingCount[], reason: DropReason): void {
    if (this.#closed) return;
    let dropped = 0;
    for (const { pendingBatch, count } of pendingCounts) {
      dropped += Math.min(count, pendingBatch.open);
      pendingBatch.add('dropped', count, reason);
    }
    if (dropped > 0) this.counters.dropped(reason, dropped);
  }

  /** Drops everything that is open, and takes no further notice of the rest. Returns how many events that were. */
  abandon(reason: DropReason): number {
    const pendingCounts = [...this.#open].map((pendingBatch) => ({ pendingBatch, count: pendingBatch.open }));
    this.drop(pendingCounts, reason);
    this.#closed = true;
    return pendingCounts.reduce((sum, { count }) => sum + count, 0);
  }

  #settle(outcome: EventGroup['outcome'], pendingCounts: readonly PendingCount[]): void {
    if (this.#closed) return;
    for (const { pendingBatch, count } of pendingCounts) {
      // No sink gets them, so nothing else counts them.
      if (outcome === 'filtered') this.counters.filtered(count);
      pendingBatch.add(outcome, count);
    }
  }
}

/** `Promise.all`, without its cost for the usual single one. */
function all(promises: readonly Promise<void>[]): Promise<unknown> {
  const [first] = promises;
  return promises.length === 1 && first !== undefined ? first : Promise.all(promises);
}
