/** Random numbers from a seed (mulberry32): the same seed gives the same numbers on every machine. Not for secrets. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** The next number, 0 to 2^32 - 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** An integer from 0 to `bound` - 1; `bound` up to 2^21, so that nothing is rounded. */
  int(bound: number): number {
    return Math.floor((this.next() * bound) / 4_294_967_296);
  }

  /** `true` once in `n` times. */
  oneIn(n: number): boolean {
    return this.int(n) === 0;
  }

  /** One of the items; the list must not be empty. */
  pick<T>(items: readonly T[]): T {
    return items[this.int(items.length)] as T;
  }

  /** 0 to 1, 1 excluded. */
  fraction(): number {
    return this.next() / 4_294_967_296;
  }
}
