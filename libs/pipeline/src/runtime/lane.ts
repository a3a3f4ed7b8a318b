import type { QueueItem } from './queue.js';
import { Fifo } from './fifo.js';

/** Encoded bytes that end a batch, however few its rows: 32 MiB. */
export const MAX_SINK_BATCH_BYTES = 32 * 1024 * 1024;

/** What decides whether a lane has a batch to give. */
export interface LaneConditions {
  readonly now: number;
  /** Rows of one write. */
  readonly maxRows: number;
  /** Age of an entry at which it has to go, ms. */
  readonly maxAgeMs: number;
  /** Whether sources wait for room. */
  readonly pressure: boolean;
}

/** An item and the promise of those it was appended with. */
export interface QueuedItem {
  readonly item: QueueItem;
  readonly receivedAt: number;
  readonly group: { left: number; readonly resolve: () => void };
}

/** Entries of one sink for one destination, in order. */
export class Lane {
  readonly #items = new Fifo<QueuedItem>();
  #rows = 0;
  #bytes = 0;
  /** Ready batches that were announced and not taken yet. */
  announced = 0;
  /** Batches that were taken and not committed yet. */
  out = 0;
  /** Tokens of batches that fail. */
  readonly failing = new Set<string>();
  timer: NodeJS.Timeout | undefined;

  constructor(
    readonly sink: string,
    readonly destination: string,
  ) {}

  get size(): number {
    return this.#items.size;
  }

  /** When the oldest event that waits was received; `undefined` when nothing waits. */
  get oldest(): number | undefined {
    return this.#items.peek()?.receivedAt;
  }

  push(queued: QueuedItem): void {
    this.#items.push(queued);
    this.#rows += queued.item.entry.rows;
    this.#bytes += queued.item.entry.bytes.byteLength;
  }

  /**
   * How many batches could be taken now.
   * @param closing whether nothing more will come
   */
  batchesReady({ now, maxRows, maxAgeMs, pressure }: LaneConditions, closing: boolean): number {
    const oldest = this.oldest;
    if (oldest === undefined || this.failing.size > 0) return 0;
    const full = Math.max(Math.floor(this.#rows / maxRows), Math.floor(this.#bytes / MAX_SINK_BATCH_BYTES));
    if (full > 0) return full;
    if (closing || now - oldest >= maxAgeMs) return 1;
    // One at a time under pressure: what comes while it is written makes the next one larger.
    return pressure && this.out === 0 ? 1 : 0;
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
