interface Waiting {
  readonly start: (alone: boolean) => void;
  readonly timer: NodeJS.Timeout;
}

/** How long a connection waits for the handshake before it, ms. A handshake takes a round trip and 2 ms. */
const WAIT_MS = 50;

/**
 * Lets the handshakes of one address come one after the other, as far as that goes quickly. One that runs alone need not
 * be watched (`HandshakeGuard`), which would cost 5 % of the reactor for as long as the connection is open: what a single
 * peer can have verified is a third of a second, once.
 */
export class HandshakeTurns {
  /** By address with a handshake that runs alone: those that wait for its end. */
  readonly #turns = new Map<string, Set<Waiting>>();

  constructor(private readonly waitMs: number = WAIT_MS) {}

  /**
   * Asks for a turn.
   * @param start called once, within this call or later: `alone` when no other handshake of the address runs alone, and
   *              `leave` is then to be called; otherwise when the time is over
   */
  take(address: string, start: (alone: boolean) => void): void {
    const waiting = this.#turns.get(address);
    if (waiting === undefined) {
      this.#turns.set(address, new Set());
      return start(true);
    }
    const one: Waiting = {
      start,
      timer: setTimeout(() => {
        waiting.delete(one);
        start(false);
      }, this.waitMs),
    };
    waiting.add(one);
  }

  /** The handshake that ran alone is over. */
  leave(address: string): void {
    const waiting = this.#turns.get(address);
    const [next] = waiting ?? [];
    if (waiting === undefined || next === undefined) return void this.#turns.delete(address);
    waiting.delete(next);
    clearTimeout(next.timer);
    next.start(true);
  }

  /** Starts all that wait, none of them alone. */
  flush(): void {
    for (const waiting of this.#turns.values()) {
      for (const { start, timer } of waiting) {
        clearTimeout(timer);
        start(false);
      }
      waiting.clear();
    }
  }
}
