import { PartialWriteError, type Sink } from '../api/index.js';
import type { SinkBatch } from './queue.js';

/**
 * After this time since the first attempt, ms, a destination may have forgotten the batch's token: ClickHouse remembers a
 * number of inserts or an hour of them.
 */
export const TOKEN_SAFE_MS = 600_000;
const NONE: ReadonlyMap<string, number> = new Map();

/** What is to be done with one frozen batch, over all attempts. */
export class BatchWriter {
  #refusal: PartialWriteError | undefined;
  #refused = NONE;
  #firstAttemptAt: number | undefined;
  /** Never taken back: a clock that is set back afterwards does not make a token young again. */
  #uncertain: boolean;

  constructor(
    private readonly sink: Pick<Sink, 'write' | 'isolate' | 'complete'>,
    private readonly batch: SinkBatch,
    private readonly now: () => number = Date.now,
  ) {
    this.#uncertain = batch.uncertain ?? false;
  }

  /** Rows that the sink has put into the dead letters, by code; known once an attempt has succeeded. */
  get refused(): ReadonlyMap<string, number> {
    return this.#refused;
  }

  /** How many rows these are. */
  get refusedRows(): number {
    let rows = 0;
    for (const count of this.#refused.values()) rows += count;
    return rows;
  }

  /**
   * Writes the batch: completes one that may be stored already, and isolates the refused rows of one that was refused. Once
   * that has begun, parts of the batch are stored under tokens of their own, so that it is never written as a whole again.
   * @throws what the sink throws; the next attempt goes on from there
   */
  async attempt(signal: AbortSignal): Promise<void> {
    this.#age();
    if (this.#refusal !== undefined) return this.#isolate(this.#refusal, signal);
    try {
      await this.#write(signal);
    } catch (error) {
      if (!(error instanceof PartialWriteError) || this.sink.isolate === undefined) throw error;
      this.#refusal = error;
      await this.#isolate(error, signal);
    }
  }

  #age(): void {
    const now = this.now();
    this.#firstAttemptAt ??= now;
    const age = now - this.#firstAttemptAt;
    // Less than nothing: the clock was set back, and nobody knows how old the token is.
    if (age > TOKEN_SAFE_MS || age < 0) this.#uncertain = true;
  }

  async #write(signal: AbortSignal): Promise<void> {
    const { entries, token } = this.batch;
    if (!this.#uncertain || this.sink.complete === undefined) return this.sink.write(entries, token, signal);
    this.#refused = (await this.sink.complete(entries, token, signal)).deadLettered;
  }

  async #isolate(refusal: PartialWriteError, signal: AbortSignal): Promise<void> {
    const { entries, token } = this.batch;
    const report = await this.sink.isolate?.(entries, token, refusal, this.#uncertain, signal);
    this.#refused = report?.deadLettered ?? NONE;
  }
}
