/** What one address may do. */
export interface RateLimits {
  /** New connections a second in the long run. */
  readonly perSecond: number;
  /** Connections at once after a time of rest. */
  readonly burst: number;
  /** Addresses that are remembered; beyond it the oldest give way. */
  readonly addresses: number;
}

/**
 * A TLS handshake costs about 1 ms of a core, and a peer needs no right to begin one: an address gets a fifth of a core in
 * the long run. The burst lets a thousand agents behind one address come back together, twice.
 */
const LIMITS: RateLimits = { perSecond: 200, burst: 2_000, addresses: 10_000 };

interface Bucket {
  tokens: number;
  at: number;
}

/** Limits how fast one address may open connections: a token bucket for each. */
export class ConnectionRate {
  readonly #buckets = new Map<string, Bucket>();

  /** @param now monotonic clock, ms */
  constructor(
    private readonly limits: RateLimits = LIMITS,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Whether this address may have one more connection now; if so, it counts. */
  take(address: string): boolean {
    const now = this.now();
    const bucket = this.#buckets.get(address) ?? { tokens: this.limits.burst, at: now };
    const earned = ((now - bucket.at) / 1_000) * this.limits.perSecond;
    bucket.tokens = Math.min(this.limits.burst, bucket.tokens + earned);
    bucket.at = now;
    // Set anew, so that the map stays in the order of the last use.
    this.#buckets.delete(address);
    this.#buckets.set(address, bucket);
    this.#forgetOldest();
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  #forgetOldest(): void {
    if (this.#buckets.size <= this.limits.addresses) return;
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}
