import { Fifo } from '../fast/index.js';

/**
 * Lets at most `limit` pieces of work run at a time, in the order they came. The limit may change at any time: RxJS
 * fixes the concurrency of `mergeMap` when it is subscribed to.
 */
export class Semaphore {
  readonly #waiting = new Fifo<() => void>();
  #limit: number;
  #running = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get running(): number {
    return this.#running;
  }

  /** A lower limit stops nothing that runs: it holds for what comes next. */
  set limit(limit: number) {
    this.#limit = limit;
    this.#admit();
  }

  /** Like `run`, for work that may be done when it returns: it says so by `undefined`, and so does this. */
  runNow(work: () => Promise<void> | undefined): Promise<void> | undefined {
    if (this.#running >= this.#limit) return this.run(async () => work());
    this.#running += 1;
    let rest: Promise<void> | undefined;
    try {
      rest = work();
    } finally {
      if (rest === undefined) this.#leave();
    }
    return rest?.finally(() => this.#leave());
  }

  /** Runs the work when there is a place for it; at once, within this call, when there is one now. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#limit) this.#running += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  #leave(): void {
    this.#running -= 1;
    this.#admit();
  }

  #admit(): void {
    while (this.#running < this.#limit) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#running += 1;
      next();
    }
  }
}
