import { Fifo } from '../fast/index.js';
import { DestinationQueue, MAX_SINK_BATCH_BYTES } from './destination-queue.js';
import type { QueueItem } from './queue.js';

/** An item and those it was appended with. */
export interface QueuedItem {
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
