/** Encoded bytes that end a batch, however few its rows: 32 MiB. */
export const MAX_SINK_BATCH_BYTES = 32 * 1024 * 1024;

/** Entries of one sink for one destination, in order, and how far they are given out. */
export abstract class DestinationQueue {
  /** Batches that `bufferRows` has announced and nobody has taken yet. */
  announced = 0;
  /** Batches that were taken and not committed yet. */
  out = 0;
  /** Tokens of batches that fail. */
  readonly failing = new Set<string>();
  /** Whether nothing more will be appended. */
  closing = false;

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
  /** Batches that were sealed before and have to go again at once. */
  abstract get resealed(): number;
}
