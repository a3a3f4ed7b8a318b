/** A rate limit: a burst size and a sustained rate per second. */
export interface Rate {
  readonly perSecond: number;
  /** How much may happen at once after a time of rest. */
  readonly burst: number;
}

/** A token bucket: full at first, filled again at a steady rate. */
export class TokenBucket {
  #tokens: number;
  #at: number;

  /** @param now milliseconds; only differences count */
  constructor(
    private readonly rate: Rate,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#tokens = rate.burst;
    this.#at = now();
  }

  /**
   * Takes so many, or nothing.
   * @returns 0 when they were taken, otherwise the seconds until there are enough
   */
  take(cost = 1): number {
    this.#fill();
    if (this.#tokens < cost) return (cost - this.#tokens) / this.rate.perSecond;
    this.#tokens -= cost;
    return 0;
  }

  /** Takes so many, into debt where there are not enough: for what has happened already. */
  charge(cost: number): void {
    this.#fill();
    this.#tokens = Math.max(-this.rate.burst, this.#tokens - cost);
  }

  /** Gives back what was taken and not used; the bucket never holds more than its burst. */
  giveBack(cost = 1): void {
    this.#tokens = Math.min(this.rate.burst, this.#tokens + cost);
  }

  #fill(): void {
    const now = this.now();
    const fresh = ((now - this.#at) / 1_000) * this.rate.perSecond;
    this.#at = now;
    this.#tokens = Math.min(this.rate.burst, this.#tokens + Math.max(0, fresh));
  }
}
