import { BaseQueue, type TakenBatch } from './base-queue.js';
import { MemoryDestinationQueue, type QueuedItem } from './memory-destination-queue.js';
import type { Appended, OutcomeCounts, QueueItem, QueueStats } from './queue.js';

interface TakenItems extends TakenBatch {
  readonly items: readonly QueuedItem[];
}

const DONE = Promise.resolve();

/** Entries in memory: bounded by the credit gate, lost with the process. So they are safe only when they are written. */
export class MemoryQueue extends BaseQueue<MemoryDestinationQueue, TakenItems> {
  #entries = 0;
  #rows = 0;
  #bytes = 0;

  open(): Promise<void> {
    return DONE;
  }

  append(items: readonly QueueItem[], tally?: OutcomeCounts): Appended {
    let resolve = (): void => undefined;
    const safe = new Promise<void>((done) => (resolve = done));
    const written = (): void => {
      if (tally !== undefined) this.options.events.written(tally, true);
      resolve();
    };
    if (items.length === 0) written();
    this.#push(items, { left: items.length, written });
    return { accepted: undefined, safe };
  }

  override async destroy(): Promise<void> {
    await super.destroy();
    this.#entries = this.#rows = this.#bytes = 0;
  }

  stats(): QueueStats {
    const { now } = this.options.conditions();
    let oldest = now;
    for (const { batch } of this.taken()) oldest = Math.min(oldest, batch.receivedAt);
    for (const queue of this.queues()) oldest = Math.min(oldest, queue.oldest ?? now);
    return { entries: this.#entries, rows: this.#rows, bytes: this.#bytes, oldestMs: now - oldest };
  }

  protected get empty(): boolean {
    return this.#entries === 0;
  }

  protected make(sink: string, destination: string): MemoryDestinationQueue {
    return new MemoryDestinationQueue(sink, destination);
  }

  protected async seal(from: MemoryDestinationQueue, maxRows: number): Promise<TakenItems | undefined> {
    const items = from.takeUpTo(maxRows);
    if (items.length === 0) return undefined;
    const { sink, destination } = from;
    let [rows, bytes, receivedAt] = [0, 0, Infinity];
    for (const { item, receivedAt: at } of items) {
      rows += item.entry.rows;
      bytes += item.entry.bytes.byteLength;
      receivedAt = Math.min(receivedAt, at);
    }
    const range = `${items[0]?.item.sequence}-${items.at(-1)?.item.sequence}`;
    const token = `${this.options.idPrefix}/${destination}/${range}`;
    const entries = items.map(({ item }) => item.entry);
    return { batch: { sink, destination, entries, token, rows, bytes, receivedAt }, items };
  }

  /** The events are durable when the dead letters of the rejected rows are written too. */
  protected async remove(
    { items }: TakenItems,
    _from: MemoryDestinationQueue,
    deadLetters: readonly QueueItem[],
  ): Promise<void> {
    const written = (): void => {
      for (const { group } of items) {
        group.left -= 1;
        if (group.left === 0) group.written();
      }
    };
    this.#push(deadLetters, { left: deadLetters.length, written });
    for (const { item } of items) this.#count(item, -1);
    if (deadLetters.length === 0) written();
  }

  #push(items: readonly QueueItem[], group: QueuedItem['group']): void {
    for (const item of items) {
      const queue = this.queue(item.sink, item.entry.destination);
      queue.push({ item, group, receivedAt: this.receivedAt(item) });
      this.#count(item, 1);
      this.changed(queue);
    }
  }

  #count(item: QueueItem, sign: 1 | -1): void {
    this.#entries += sign;
    this.#rows += sign * item.entry.rows;
    this.#bytes += sign * item.entry.bytes.byteLength;
  }
}
