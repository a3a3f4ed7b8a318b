import { TokenBucket, type Rate } from './token-bucket.js';

/** Clients remembered at once; beyond it the one not heard of for longest is forgotten, so that memory stays bounded. */
const MAX_KEYS = 10_000;

/** A token bucket for each key, such as an address. */
export class KeyedBuckets {
  readonly #buckets = new Map<string, TokenBucket>();

  /** @param now milliseconds; only differences count */
  constructor(
    private readonly rate: Rate,
    private readonly maxKeys: number = MAX_KEYS,
    private readonly now?: () => number,
  ) {}

  /** The bucket of a key. */
  of(key: string): TokenBucket {
    const bucket = this.#buckets.get(key) ?? new TokenBucket(this.rate, this.now);
    // Removed first, so that the map stays in the order of last use.
    this.#buckets.delete(key);
    if (this.#buckets.size >= this.maxKeys) this.#forgetOldest();
    this.#buckets.set(key, bucket);
    return bucket;
  }

  #forgetOldest(): void {
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}
