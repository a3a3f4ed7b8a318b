/** Handshakes of a slowed address under way or just made, at most. */
const SLOTS = 2;
/** How long a slot stays taken, ms: so there are never more than `SLOTS` in a second. */
const TAKEN_MS = 1_000;
/**
 * A slot comes back this much later at most, ms, at random. Otherwise a peer that knocks at a steady pace would always be
 * the first, and another that does so too would never be let in.
 */
const SPREAD_MS = 500;

/** How many handshakes a slowed address may begin: two a second, and more when they end well. */
export class HandshakeSlots {
  /** When each slot is free again. */
  readonly #freeAt: number[] = Array.from({ length: SLOTS }, () => -Infinity);

  /**
   * @param now    milliseconds; only differences count
   * @param random from 0 to 1
   */
  constructor(
    private readonly now: () => number = () => performance.now(),
    private readonly random: () => number = Math.random,
  ) {}

  /** Takes a slot; whether there was one. */
  take(): boolean {
    const now = this.now();
    const slot = this.#freeAt.findIndex((freeAt) => freeAt <= now);
    if (slot === -1) return false;
    this.#freeAt[slot] = now + TAKEN_MS + this.random() * SPREAD_MS;
    return true;
  }

  /** The handshake that was begun last counts no longer: its peer has proved a key. */
  giveBack(): void {
    const last = this.#freeAt.indexOf(Math.max(...this.#freeAt));
    this.#freeAt[last] = -Infinity;
  }
}
