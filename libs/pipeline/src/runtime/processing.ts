import type { ProcessingBatch } from './buffer-events.js';
import { decode, errorName, type Decoded, type DecodeOptions } from './decode.js';
import { enqueue, type EnqueueOptions } from './enqueue.js';
import { EntryAccumulator, type AccumulatorOptions } from './entry-accumulator.js';
import { DROP_REASONS } from './pending-batch.js';

/** What a processor works with. */
export interface ProcessorOptions extends DecodeOptions, AccumulatorOptions, EnqueueOptions {
  /** Rows of a sink batch, which an entry must not be beyond; asked each time. */
  readonly sinkBatchRows: () => number;
}

/**
 * Records of one entry at most, where a sink batch may have as many. ClickHouse spends 2.5 us a row on reading blocks of 100
 * rows with 33 columns, and 0.5 us on such of 1,000; what an entry costs the spool is 0.05 to 0.2 us less a row at 2,000.
 */
const MAX_ROWS = 2_000;
/** Raw bytes that are accumulated at most: an entry of large records must not be of many MiB. */
const MAX_BYTES = 1024 * 1024;
/** Least time from one entry to the next, ms, as between two flushes of a spool that is not busy; after a pause there is no wait. */
const ACCUMULATE_MS = 10;

/** Decodes, accumulates and enqueues processing batches. Every event leaves it for the queue or is dropped. */
export class Processor {
  /** A new one each time: one that was used again would, once old, keep what it has held from young collections. */
  #accumulator: EntryAccumulator;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #flushedAt = -Infinity;
  /** The queue has not taken what it was given yet. */
  #waiting: Promise<void> | undefined;

  constructor(private readonly options: ProcessorOptions) {
    this.#accumulator = new EntryAccumulator(options);
  }

  /**
   * Decodes and encodes a processing batch, which is queued with those that come shortly after it. Returns what resolves
   * when the queue has taken what it was given before; `undefined` when it has. That is the usual case, and a promise in
   * its place lets sources run ahead: events that wait for their turn as objects are what garbage collection has to copy
   * (half of all time at 100 events a batch). Does not throw.
   */
  process(slices: ProcessingBatch): Promise<void> | undefined {
    const decoded = this.#decode(slices);
    if (decoded === undefined) return undefined;
    this.#accumulate(decoded, slices);
    return this.#waiting;
  }

  /** Queues what was accumulated. Does not throw. */
  flush(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#timer = this.#immediate = undefined;
    if (this.#accumulator.empty) return;
    this.#flushedAt = performance.now();
    const accumulated = this.#accumulator;
    this.#accumulator = new EntryAccumulator(this.options);
    const accepted = this.#enqueue(accumulated);
    if (accepted.length === 0) return;
    const waiting = Promise.allSettled(accepted).then(() => {
      if (this.#waiting === waiting) this.#waiting = undefined;
    });
    this.#waiting = waiting;
  }

  #decode(slices: ProcessingBatch): Decoded | undefined {
    const pendingCounts = slices.map(({ batch, pendingBatch }) => ({ pendingBatch, count: batch.size }));
    try {
      return decode(slices, this.options);
    } catch (error) {
      const fields = { error: errorName(error) };
      this.options.logger.error(fields, 'Processing batch failed; events dropped');
      this.options.tracker.drop(pendingCounts, DROP_REASONS.internal);
      return undefined;
    }
  }

  #accumulate(decoded: Decoded, slices: ProcessingBatch): void {
    const most = Math.min(MAX_ROWS, this.options.sinkBatchRows());
    if (this.#accumulator.rows + decoded.rows > most) this.flush();
    this.#accumulator.add(decoded, slices);
    // A queue in memory would not have let them wait for a flush.
    const atOnce = this.options.queue.streams === undefined;
    if (atOnce || this.#accumulator.rows >= most || this.#accumulator.bytes >= MAX_BYTES) this.flush();
    else this.#flushSoon();
  }

  #enqueue(accumulated: EntryAccumulator): readonly Promise<void>[] {
    try {
      return enqueue(accumulated, this.options);
    } catch (error) {
      this.options.logger.error({ error: errorName(error) }, 'Failed to queue events; events dropped');
      this.options.tracker.drop(accumulated.pendingCounts, DROP_REASONS.internal);
      return [];
    }
  }

  #flushSoon(): void {
    if (this.#timer !== undefined || this.#immediate !== undefined) return;
    const early = this.#flushedAt + ACCUMULATE_MS - performance.now();
    if (early > 1) this.#timer = setTimeout(() => this.flush(), early);
    else this.#immediate = setImmediate(() => this.flush());
  }
}
