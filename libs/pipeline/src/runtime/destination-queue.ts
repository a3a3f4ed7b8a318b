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

/** Batches of one lane that are announced at a time: enough to keep every writer busy, however much waits. */
const MAX_ANNOUNCED = 64;

/** Entries of one sink for one destination, in order, and how far they are given out. */
export abstract class DestinationQueue {
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

  /** When the oldest event that waits was received; `undefined` when nothing waits. */
  abstract get oldest(): number | undefined;
  /** Rows that wait. */
  abstract get rows(): number;
  /** Encoded bytes that wait. */
  abstract get bytes(): number;
  /** Batches that were frozen before and have to go again at once. */
  abstract get refrozen(): number;

  /**
   * How many batches could be taken now; `MAX_ANNOUNCED` at most.
   * @param closing whether nothing more will come
   */
  batchesReady(conditions: LaneConditions, closing: boolean): number {
    if (this.failing.size > 0) return 0;
    return Math.min(MAX_ANNOUNCED, this.refrozen + this.#batchesWaiting(conditions, closing));
  }

  #batchesWaiting({ now, maxRows, maxAgeMs, pressure }: LaneConditions, closing: boolean): number {
    const oldest = this.oldest;
    if (oldest === undefined) return 0;
    const full = Math.max(Math.floor(this.rows / maxRows), Math.floor(this.bytes / MAX_SINK_BATCH_BYTES));
    if (full > 0) return full;
    // An oldest one from the future: the clock was set back, and nobody knows how long it has waited.
    if (closing || now - oldest >= maxAgeMs || oldest > now) return 1;
    // One at a time under pressure: what comes while it is written makes the next one larger.
    return pressure && this.out === 0 ? 1 : 0;
  }
}
