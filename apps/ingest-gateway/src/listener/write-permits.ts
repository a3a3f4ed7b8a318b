/** Who holds permits: a reactor's process. */
type Holder = object;

interface Pool {
  readonly held: Map<Holder, number>;
  total: number;
  waiting: { readonly holder: Holder; readonly grant: () => void }[];
}

/**
 * Bounds writes over all reactors. Each sink has a pool of its own, so that one that hangs does not take the permits of the
 * others; who asks first is served first.
 */
export class WritePermits {
  readonly #pools = new Map<string, Pool>();

  /** @param limitOf permits of a pool; asked each time, call `changed` when it has changed */
  constructor(private readonly limitOf: (pool: string) => number) {}

  /** Asks for a permit; `grant` is called when there is one. */
  want(name: string, holder: Holder, grant: () => void): void {
    const pool = this.#pool(name);
    pool.waiting.push({ holder, grant });
    this.#serve(name, pool);
  }

  /** Gives a permit back. */
  done(name: string, holder: Holder): void {
    const pool = this.#pool(name);
    const held = pool.held.get(holder) ?? 0;
    if (held === 0) return;
    pool.held.set(holder, held - 1);
    pool.total -= 1;
    this.#serve(name, pool);
  }

  /** Takes back all that a process held and wanted: it has ended. */
  drop(holder: Holder): void {
    for (const [name, pool] of this.#pools) {
      pool.total -= pool.held.get(holder) ?? 0;
      pool.held.delete(holder);
      pool.waiting = pool.waiting.filter((each) => each.holder !== holder);
      this.#serve(name, pool);
    }
  }

  /** To be called when limits have changed. A lower one takes no permit back. */
  changed(): void {
    for (const [name, pool] of this.#pools) this.#serve(name, pool);
  }

  #serve(name: string, pool: Pool): void {
    while (pool.total < this.limitOf(name)) {
      const next = pool.waiting.shift();
      if (next === undefined) return;
      pool.total += 1;
      pool.held.set(next.holder, (pool.held.get(next.holder) ?? 0) + 1);
      next.grant();
    }
  }

  #pool(name: string): Pool {
    const known = this.#pools.get(name);
    if (known !== undefined) return known;
    const made: Pool = { held: new Map(), total: 0, waiting: [] };
    this.#pools.set(name, made);
    return made;
  }
}
