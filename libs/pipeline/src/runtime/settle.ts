import type { Batch } from '../api/index.js';
import type { PipelineCounters } from './counters.js';
import { DROP_REASONS, Ledger, type DropReason } from './ledger.js';
import type { Appended, Tally } from './queue.js';

/** Some events of one source batch. */
export interface Share {
  readonly ledger: Ledger;
  readonly count: number;
}

/** Events that end together, because they are in the same queue entries. */
export interface Unit extends Tally {
  readonly shares: readonly Share[];
}

/** Sees every event to its end: settles source batches, gives credit back, counts. */
export class Settler {
  readonly #open = new Set<Ledger>();
  #closed = false;

  /** @param onSettled called once for each source batch, when nothing of it is open */
  constructor(
    private readonly counters: PipelineCounters,
    private readonly onSettled: (ledger: Ledger) => void,
  ) {}

  /** Begins to follow a source batch. */
  receive(batch: Batch): Ledger {
    const ledger = new Ledger(batch, (settled) => {
      this.#open.delete(settled);
      this.onSettled(settled);
    });
    this.#open.add(ledger);
    this.counters.received(ledger.size, ledger.bytes);
    return ledger;
  }

  /** Settles a batch that came too late. */
  refuse(batch: Batch, reason: DropReason): void {
    const { size } = batch;
    this.counters.received(size, batch.bytes);
    if (size > 0) this.counters.dropped(reason, size);
    batch.settle({ delivered: 0, deadLettered: 0, dropped: size, reason });
  }

  /** The unit's batches settle when all it was appended as is safe. It is counted when the queue tells that it is written. */
  follow({ fate, shares }: Omit<Unit, 'counts'>, appended: readonly Appended[]): void {
    all(appended.map(({ safe }) => safe)).then(
      () => this.#settle(fate, shares),
      () => this.drop(shares, DROP_REASONS.queue),
    );
  }

  /**
   * The queue has written events.
   * @param own whether they were received by this pipeline, and not by one before it
   */
  written({ fate, counts }: Tally, own: boolean): void {
    if (this.#closed) return;
    for (const [key, count] of counts) {
      if (own) this.counters[fate](key, count);
      else this.counters.recovered(count);
    }
  }

  /** The queue has lost events that it had called safe. */
  lost({ counts }: Tally, own: boolean): void {
    if (this.#closed || !own) return;
    for (const count of counts.values()) this.counters.dropped(DROP_REASONS.damaged, count);
  }

  /** Gives events up. */
  drop(shares: readonly Share[], reason: DropReason): void {
    if (this.#closed) return;
    let dropped = 0;
    for (const { ledger, count } of shares) {
      dropped += Math.min(count, ledger.open);
      ledger.add('dropped', count, reason);
    }
    if (dropped > 0) this.counters.dropped(reason, dropped);
  }

  /** Drops everything that is open, and takes no further notice of the rest. Returns how many events that were. */
  abandon(reason: DropReason): number {
    const shares = [...this.#open].map((ledger) => ({ ledger, count: ledger.open }));
    this.drop(shares, reason);
    this.#closed = true;
    return shares.reduce((sum, { count }) => sum + count, 0);
  }

  #settle(fate: Tally['fate'], shares: readonly Share[]): void {
    if (this.#closed) return;
    for (const { ledger, count } of shares) ledger.add(fate, count);
  }
}

/** `Promise.all`, without its cost for the usual single one. */
function all(promises: readonly Promise<void>[]): Promise<unknown> {
  const [first] = promises;
  return promises.length === 1 && first !== undefined ? first : Promise.all(promises);
}
