import { Fifo } from '../fast/index.js';
import { BaseQueue, type TakenBatch } from './base-queue.js';
import { DestinationQueue, MAX_SINK_BATCH_BYTES } from './destination-queue.js';
import type { Appended, OutcomeCounts, QueueItem, QueueStats } from './queue.js';

/** An item and those it was appended with. */
interface QueuedItem {
  readonly item: QueueItem;
  readonly receivedAt: number;
  readonly group: { left: number; readonly written: () => void };
}

/** A queue whose entries are in memory. */
export class MemoryDestinationQueue extends DestinationQueue {
  readonly #items = new Fifo<QueuedItem>();
  #rows = 0;
  #bytes = 0;

  get oldest(): number | undefined {
    return this.#items.peek()?.receivedAt;
  }

  /** Entries that wait. */
  get entries(): number {
    return this.#items.size;
  }

  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** What is in memory does not outlive the process. */
  get resealed(): number {
    return 0;
  }

  push(queued: QueuedItem): void {
    this.#items.push(queued);
    this.#rows += queued.item.entry.rows;
    this.#bytes += queued.item.entry.bytes.byteLength;
  }

  /** Takes entries from the front up to the limits; at least one, as entries are never split. */
  takeUpTo(maxRows: number): QueuedItem[] {
    const taken: QueuedItem[] = [];
    let rows = 0;
    let bytes = 0;
    for (let next = this.#items.peek(); next !== undefined; next = this.#items.peek()) {
      rows += next.item.entry.rows;
      bytes += next.item.entry.bytes.byteLength;
      if (taken.length > 0 && (rows > maxRows || bytes > MAX_SINK_BATCH_BYTES)) break;
      this.#items.shift();
      this.#rows -= next.item.entry.rows;
      this.#bytes -= next.item.entry.bytes.byteLength;
      taken.push(next);
    }
    return taken;
  }
}

interface TakenItems extends TakenBatch {
  readonly items: readonly QueuedItem[];
}

const DONE = Promise.resolve();

/** Entries in memory: bounded by the credit gate, lost with the process. So they are safe only when they are written. */
export class MemoryQueue extends BaseQueue<MemoryDestinationQueue, TakenItems> {
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

  stats(): QueueStats {
    const { now } = this.options.conditions();
    let [entries, rows, bytes, oldest] = [0, 0, 0, now];
    for (const queue of this.queues()) {
      entries += queue.entries;
      rows += queue.rows;
      bytes += queue.bytes;
      oldest = Math.min(oldest, queue.oldest ?? now);
    }
    for (const { batch } of this.taken()) {
      entries += batch.entries.length;
      rows += batch.rows;
      bytes += batch.bytes;
      oldest = Math.min(oldest, batch.receivedAt);
    }
    return { entries, rows, bytes, oldestMs: now - oldest };
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
    if (deadLetters.length === 0) written();
  }

  #push(items: readonly QueueItem[], group: QueuedItem['group']): void {
    for (const item of items) {
      const queue = this.queue(item.sink, item.entry.destination);
      queue.push({ item, group, receivedAt: this.receivedAt(item) });
      this.changed(queue);
    }
  }
}
