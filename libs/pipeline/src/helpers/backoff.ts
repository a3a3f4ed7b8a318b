/** How waiting times grow between attempts. */
export interface BackoffOptions {
  /** First wait, ms. */
  readonly initialMs: number;
  /** Longest wait, ms. */
  readonly maxMs: number;
  /** Growth of each wait over the one before; 2 by default. */
  readonly factor?: number;
  /** Share of each wait that is random, 0 to 1, so that many peers do not come back together; 0.5 by default. */
  readonly jitter?: number;
}

/** Exponential back-off with jitter. */
export class Backoff {
  #attempts = 0;

  constructor(private readonly options: BackoffOptions) {}

  /** Waits taken since the last reset. */
  get attempts(): number {
    return this.#attempts;
  }

  /** The next wait in ms: exponential up to the limit, its random share taken off. */
  next(): number {
    const { initialMs, maxMs, factor = 2, jitter = 0.5 } = this.options;
    const full = Math.min(maxMs, initialMs * factor ** this.#attempts);
    this.#attempts += 1;
    return Math.round(full * (1 - jitter * Math.random()));
  }

  /** To be called after a success. */
  reset(): void {
    this.#attempts = 0;
  }
}
