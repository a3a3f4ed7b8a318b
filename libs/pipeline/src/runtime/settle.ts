import type { Batch } from '../api/index.js';
import type { PipelineCounters } from './counters.js';
import { DROP_REASONS, Ledger, type DropReason } from './ledger.js';
import type { Appended } from './queue.js';

/** Some events of one source batch. */
export interface Share {
  readonly ledger: Ledger;
  readonly count: number;
}

/** Events that end together, because they are in the same queue entries. */
export interface Unit {
  readonly fate: 'delivered' | 'deadLettered';
  /** Events by event type, or dead letters by code. */
  readonly counts: ReadonlyMap<string, number>;
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

  /** The unit ends when all it was appended as has: settled when safe, counted when written. */
  follow(unit: Unit, appended: readonly Appended[]): void {
    all(appended.map(({ safe }) => safe)).then(
      () => this.#settle(unit),
      () => this.drop(unit.shares, DROP_REASONS.queue),
    );
    all(appended.map(({ written }) => written)).then(
      () => this.#count(unit),
      // A queue that loses entries says so by `safe`; one that kept them has them to write after the next start.
      () => undefined,
    );
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

  #settle(unit: Unit): void {
    if (this.#closed) return;
    for (const { ledger, count } of unit.shares) ledger.add(unit.fate, count);
  }

  #count(unit: Unit): void {
    if (this.#closed) return;
    for (const [key, count] of unit.counts) this.counters[unit.fate](key, count);
  }
}

/** `Promise.all`, without its cost for the usual single one. */
function all(promises: readonly Promise<void>[]): Promise<unknown> {
  const [first] = promises;
  return promises.length === 1 && first !== undefined ? first : Promise.all(promises);
}
