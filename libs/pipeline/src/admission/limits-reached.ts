import type { LimitReached } from './types.js';

/** Remembers at which limits connections were turned away, and when last. */
export class LimitsReached {
  readonly #reached = new Map<LimitReached['limit'], LimitReached>();

  /** @param now milliseconds since 1970-01-01 UTC */
  constructor(private readonly now: () => number) {}

  /**
   * @param max connections that the limit allows
   * @param key the key that was turned away, where it is known
   */
  add(limit: LimitReached['limit'], max: number, key?: string): void {
    const refused = (this.#reached.get(limit)?.refused ?? 0) + 1;
    this.#reached.set(limit, { limit, max, refused, at: this.now(), ...(key !== undefined && { key }) });
  }

  /** Those at which somebody was turned away within the time, ms. */
  within(ms: number): LimitReached[] {
    const since = this.now() - ms;
    return [...this.#reached.values()].filter(({ at }) => at >= since);
  }
}
