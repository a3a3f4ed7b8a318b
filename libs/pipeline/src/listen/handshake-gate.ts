/** How many handshakes a gate lets run at a time. */
export interface GateLimits {
  readonly total: number;
  readonly perAddress: number;
  /** A handshake that has run for this long gives way to one that waits, ms. */
  readonly staleMs: number;
}

/**
 * A handshake takes a round trip and a few milliseconds of a core. These carry 300 handshakes a second of one address
 * over a network of 50 ms, and bound what one address can have verified at the same time.
 */
const LIMITS: GateLimits = { total: 64, perAddress: 16, staleMs: 2_000 };

/** One handshake, waiting or running. */
interface Place {
  readonly address: string;
  readonly begin: () => void;
  readonly giveWay: () => void;
  state: 'waiting' | 'running' | 'leaving';
  /** Monotonic, ms; set when it begins. */
  begunAt?: number;
}

/**
 * Bounds the handshakes of one process that run at a time, by address and in total. The others wait: addresses take turns,
 * and within an address the one that came first is next. A handshake begins when the peer's first bytes are there, so that
 * a mute peer has no place; one that stays in the middle of its handshake gives way to those that wait.
 */
export class HandshakeGate {
  /** In the order of their beginning. */
  readonly #running = new Set<Place>();
  readonly #runningOf = new Map<string, number>();
  /** By address; the address that is next stands first. */
  readonly #waiting = new Map<string, Set<Place>>();
  #timer: NodeJS.Timeout | undefined;

  /** @param now monotonic clock, ms */
  constructor(
    private readonly limits: GateLimits = LIMITS,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Handshakes that run. */
  get running(): number {
    return this.#running.size;
  }

  /**
   * Asks for a place.
   * @param begin   called when there is one, within this call or later
   * @param giveWay called when it has lost its place and has to end; `leave` is still to be called
   * @returns to be called when the handshake is over, or is not wanted any more; safe twice
   */
  enter(address: string, begin: () => void, giveWay: () => void): () => void {
    const place: Place = { address, begin, giveWay, state: 'waiting' };
    this.#wait(place);
    this.#admit();
    return () => this.#leave(place);
  }

  #wait(place: Place): void {
    const same = this.#waiting.get(place.address);
    if (same === undefined) this.#waiting.set(place.address, new Set([place]));
    else same.add(place);
  }

  #leave(place: Place): void {
    if (this.#running.delete(place)) {
      const left = (this.#runningOf.get(place.address) ?? 1) - 1;
      if (left === 0) this.#runningOf.delete(place.address);
      else this.#runningOf.set(place.address, left);
    } else this.#unwait(place);
    this.#admit();
  }

  #unwait(place: Place): void {
    const same = this.#waiting.get(place.address);
    same?.delete(place);
    if (same?.size === 0) this.#waiting.delete(place.address);
  }

  #admit(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#unwait(next);
      this.#lastInTurn(next.address);
      next.state = 'running';
      next.begunAt = this.now();
      this.#running.add(next);
      this.#runningOf.set(next.address, (this.#runningOf.get(next.address) ?? 0) + 1);
      next.begin();
    }
    this.#displaceStale();
  }

  #next(): Place | undefined {
    if (this.#running.size >= this.limits.total) return undefined;
    for (const [address, places] of this.#waiting) {
      if ((this.#runningOf.get(address) ?? 0) >= this.limits.perAddress) continue;
      const [first] = places;
      return first;
    }
    return undefined;
  }

  #lastInTurn(address: string): void {
    const places = this.#waiting.get(address);
    if (places === undefined) return;
    this.#waiting.delete(address);
    this.#waiting.set(address, places);
  }

  /** As many as wait have to end, if they have had their time; looks again when the next one has. */
  #displaceStale(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.size === 0) return;
    for (const place of this.#inTheWay()) {
      const leftMs = (place.begunAt ?? 0) + this.limits.staleMs - this.now();
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.#admit(), leftMs + 1).unref();
        return;
      }
      if (place.state === 'leaving') continue;
      place.state = 'leaving';
      place.giveWay();
    }
  }

  /** Running places that those waiting could have, the oldest first: at the total any, otherwise those of their addresses. */
  #inTheWay(): Place[] {
    const waiting = new Map([...this.#waiting].map(([address, { size }]) => [address, size]));
    const running = [...this.#running];
    if (running.length >= this.limits.total) {
      return running.slice(
        0,
        [...waiting.values()].reduce((sum, size) => sum + size, 0),
      );
    }
    return running.filter(({ address }) => {
      const wanted = waiting.get(address) ?? 0;
      waiting.set(address, wanted - 1);
      return wanted > 0;
    });
  }
}
