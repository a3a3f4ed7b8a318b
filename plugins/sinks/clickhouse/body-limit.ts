import type { SinkState } from './sink-state.js';

/** After this time a large body is tried again, ms: somebody may have raised the limit. */
const TRY_AGAIN_MS = 300_000;
const KEY = 'body limit';

/**
 * Size of bodies that something before ClickHouse does not take, so that not every batch is sent in vain before it is
 * divided. Forgotten after five minutes, or when a body of that size is taken.
 */
export class BodyLimit {
  #bytes = Infinity;
  #learned = 0;

  /** @param now milliseconds since 1970-01-01 UTC */
  constructor(
    private readonly state: SinkState,
    private readonly now: () => number,
  ) {}

  get #isFresh(): boolean {
    return Math.abs(this.now() - this.#learned) < TRY_AGAIN_MS;
  }

  /** Whether a body of this size would be refused, as far as is known. */
  exceeds(bytes: number): boolean {
    return bytes >= this.#bytes && this.#isFresh;
  }

  /** A body was refused for its size. */
  refused(bytes: number): void {
    this.#bytes = this.#isFresh ? Math.min(this.#bytes, bytes) : bytes;
    this.#learned = this.now();
    this.state.warn(
      KEY,
      `Inserts of ${this.#bytes} bytes are refused as too large before they reach ClickHouse; batches are divided. ${RAISE_LIMIT}`,
    );
  }

  /** A body was taken. */
  accepted(bytes: number): void {
    if (bytes < this.#bytes) return;
    this.#bytes = Infinity;
    this.state.clear(KEY);
  }
}

/** What to do about it. */
export const RAISE_LIMIT =
  'Raise the limit of the proxy (nginx: client_max_body_size), or lower activitymonitor_clickhouse_batch_size.';
