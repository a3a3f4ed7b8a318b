import { addressGroup } from '../helpers/index.js';

/** When a connection with an identified key was last seen from an address group. */
export interface KnownAddress {
  /** As `addressGroup` writes it. */
  readonly address: string;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly at: number;
}

/** Groups that are remembered; beyond it the ones that were not seen for longest are forgotten. */
const MAX_KNOWN = 10_000;

interface Seen {
  open: number;
  at: number;
}

/**
 * Remembers from which addresses keys were identified, and when. Whoever wants the memory to outlive a restart stores
 * `entries()` and gives them to `restore`.
 */
export class KnownAddresses {
  /** By group, those seen last at the end. */
  readonly #groups = new Map<string, Seen>();

  /**
   * @param max groups remembered at once
   * @param now milliseconds since 1970-01-01 UTC
   */
  constructor(
    private readonly now: () => number = Date.now,
    private readonly max: number = MAX_KNOWN,
  ) {}

  /** Notes that a connection from this address was identified; it counts as seen until `released`. */
  identified(address: string): void {
    this.#note(addressGroup(address), 1);
  }

  /** To be called once for each `identified`, when the connection is closed. */
  released(address: string): void {
    this.#note(addressGroup(address), -1);
  }

  /** Notes that a holder of a known key was here, without a connection of its own. */
  seen(address: string): void {
    this.#note(addressGroup(address), 0);
  }

  /** Whether a key was identified from this address in the last `withinMs`, or a connection of one is open. */
  has(address: string, withinMs: number): boolean {
    const seen = this.#groups.get(addressGroup(address));
    return seen !== undefined && (seen.open > 0 || this.now() - seen.at <= withinMs);
  }

  /** All that is remembered; what has an open connection is seen now. */
  entries(): KnownAddress[] {
    const now = this.now();
    return [...this.#groups].map(([address, { open, at }]) => ({ address, at: open > 0 ? now : at }));
  }

  /** Takes in what was remembered before; what is known better already stays. */
  restore(entries: readonly KnownAddress[]): void {
    const now = this.now();
    for (const { address, at } of [...entries].sort((a, b) => a.at - b.at)) {
      if (this.#groups.has(address)) continue;
      // A clock that was set back must not make an address known for longer than it should be.
      this.#set(address, { open: 0, at: Math.min(at, now) });
    }
  }

  #note(group: string, change: 1 | 0 | -1): void {
    const open = Math.max(0, (this.#groups.get(group)?.open ?? 0) + change);
    this.#set(group, { open, at: this.now() });
  }

  #set(group: string, seen: Seen): void {
    // Removed first, so that the map stays in the order of the last sight.
    this.#groups.delete(group);
    this.#groups.set(group, seen);
    if (this.#groups.size > this.max) this.#forgetOldest();
  }

  #forgetOldest(): void {
    for (const [group, { open }] of this.#groups) {
      if (open > 0) continue;
      this.#groups.delete(group);
      return;
    }
  }
}
