/**
 * How long a connection may keep its place under pressure before its peer has proved to be an agent, ms. A handshake takes
 * milliseconds; what takes longer is most likely a socket that somebody opened and left.
 */
const KEEPS_PLACE_MS = 2_000;

/** Connections whose peers nobody has identified yet, by age. */
export class PendingConnections {
  /** When each came, in the order of their coming. */
  readonly #since = new Map<string, number>();

  /** @param now monotonic clock, ms */
  constructor(private readonly now: () => number = () => performance.now()) {}

  get size(): number {
    return this.#since.size;
  }

  add(id: string): void {
    this.#since.set(id, this.now());
  }

  /** Identified, or closed. */
  remove(id: string): void {
    this.#since.delete(id);
  }

  /** Removes and gives the oldest one, if it has had its time. */
  takeStale(): string | undefined {
    const [oldest] = this.#since;
    if (oldest === undefined || this.now() - oldest[1] < KEEPS_PLACE_MS) return undefined;
    this.#since.delete(oldest[0]);
    return oldest[0];
  }
}
