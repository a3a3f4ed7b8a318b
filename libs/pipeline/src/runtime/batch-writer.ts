import { deadLetters, PartialWriteError, type RejectedRow, type Sink } from '../api/index.js';
import type { SinkBatch } from './queue.js';

/**
 * After this time since the first attempt, ms, a destination may have forgotten the batch's token: ClickHouse remembers a
 * number of inserts or an hour of them.
 */
export const TOKEN_SAFE_MS = 600_000;
/** What is to be done with one frozen batch, over all attempts. */
export class BatchWriter {
  #refusal: PartialWriteError | undefined;
  #rejected: readonly RejectedRow[] | undefined;
  #firstAttemptAt: number | undefined;
  /** Never taken back: a clock that is set back afterwards does not make a token young again. */
  #uncertain: boolean;
  /** Whether a write has failed without a refusal: the destination may have stored the batch, or be about to. */
  #unanswered = false;

  constructor(
    private readonly sink: Pick<Sink, 'write' | 'recover'>,
    private readonly batch: SinkBatch,
    private readonly now: () => number = Date.now,
  ) {
    this.#uncertain = batch.uncertain ?? false;
  }

  /** Rows that the destination has rejected; known once an attempt has succeeded. */
  get rejected(): readonly RejectedRow[] {
    return this.#rejected ?? [];
  }

  /**
   * Writes the batch, or recovers one that was refused or may be stored already. From then on ranges of the batch may be
   * stored under tokens of their own, so that it is never written as a whole again.
   * @throws what the sink throws; the next attempt goes on from there
   */
  async attempt(signal: AbortSignal): Promise<void> {
    if (this.#rejected !== undefined) return;
    this.#age();
    const { entries, token } = this.batch;
    if (this.#refusal === undefined && !(this.#uncertain && this.sink.recover !== undefined)) {
      try {
        await this.sink.write(entries, token, signal);
        this.#rejected = [];
        return;
      } catch (error) {
        if (!this.#isRecoverable(error)) {
          this.#unanswered = true;
          throw error;
        }
        this.#refusal = error;
      }
    }
    const uncertain = this.#uncertain || this.#unanswered;
    const why = { uncertain, ...(this.#refusal && { refusal: this.#refusal }) };
    this.#rejected = (await this.sink.recover?.(entries, token, why, signal))?.rejected ?? [];
  }

  /** Nothing can be made of dead letters that are refused themselves: they wait. */
  #isRecoverable(error: unknown): error is PartialWriteError {
    const { destination } = this.batch;
    return (
      error instanceof PartialWriteError &&
      this.sink.recover !== undefined &&
      destination !== deadLetters.name
    );
  }

  #age(): void {
    const now = this.now();
    this.#firstAttemptAt ??= now;
    const age = now - this.#firstAttemptAt;
    // Less than nothing: the clock was set back, and nobody knows how old the token is.
    if (age > TOKEN_SAFE_MS || age < 0) this.#uncertain = true;
  }
}
