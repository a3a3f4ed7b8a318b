import type { GatewayError } from '@activity-gateway/pipeline/api';
import { Backoff, sleep, type BackoffOptions } from '@activity-gateway/pipeline/helpers';

/** How an agent goes on after a connection that failed. */
export interface ReconnectOptions {
  /** Waits between connections; from 0.5 s to 30 s by default. */
  readonly backoff?: BackoffOptions;
  /** Gives up after so many connections in a row that failed or lived less than 5 s; 10 by default. */
  readonly maxFailures?: number;
}

/** A connection that lived so long, in ms, was a good one: the waits start anew after it. */
const GOOD_AFTER_MS = 5_000;
const DEFAULT_BACKOFF: BackoffOptions = { initialMs: 500, maxMs: 30_000 };

/** Counts failures in a row and waits between connections. */
export class Reconnects {
  readonly #backoff: Backoff;

  constructor(private readonly options: ReconnectOptions) {
    this.#backoff = new Backoff(options.backoff ?? DEFAULT_BACKOFF);
  }

  /**
   * Waits before the next connection.
   * @param good whether the connection was of use although it was short
   * @throws GatewayError the failure itself, when there is no point in another connection
   */
  async after(failure: GatewayError, livedMs: number, good: boolean, signal: AbortSignal): Promise<void> {
    if (good || livedMs >= GOOD_AFTER_MS) this.#backoff.reset();
    const givenUp = this.#backoff.attempts + 1 >= (this.options.maxFailures ?? 10);
    if (givenUp || failure.code === 'AGENT_SERVER_KEY_MISMATCH') throw failure;
    await sleep(this.#backoff.next(), signal);
  }
}
