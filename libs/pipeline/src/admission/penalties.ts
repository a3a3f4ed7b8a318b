import { HandshakeSlots } from './handshake-slots.js';

/** `ban`: nothing is let in; `slow`: a little is, because peers with known keys are behind the address. */
export type Effect = 'ban' | 'slow';

/** What an address group has to bear for a while. */
export interface Penalty {
  /** An IPv4 address, or the /64 of an IPv6 address, such as `2001:db8:0:1::/64`. */
  readonly address: string;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly until: number;
  /** Bounded code. */
  readonly reason: string;
  readonly effect: Effect;
}

/** Penalties held at once; beyond it the oldest give way, so that an attack cannot fill the memory. */
const MAX_PENALTIES = 10_000;

type Held = Penalty & { readonly handshakes: HandshakeSlots };

/** Banned and slowed address groups, in memory. Those that have ended count for nothing, and are removed when they are met. */
export class Penalties {
  /** By group, in the order of their beginning. */
  readonly #byGroup = new Map<string, Held>();
  #slowed = 0;

  /**
   * @param now       milliseconds since 1970-01-01 UTC
   * @param monotonic milliseconds; only differences count
   * @param max       penalties held at once
   */
  constructor(
    private readonly now: () => number = Date.now,
    private readonly monotonic: () => number = () => performance.now(),
    private readonly max: number = MAX_PENALTIES,
  ) {}

  /** Penalties held, those that have ended and were not met since included. */
  get counts(): Readonly<Record<Effect, number>> {
    return { ban: this.#byGroup.size - this.#slowed, slow: this.#slowed };
  }

  /**
   * Begins a penalty, or begins it again.
   * @returns whether the group had none of this effect
   */
  add(group: string, effect: Effect, reason: string, durationMs: number): boolean {
    const before = this.find(group);
    // A slowed group that is slowed again gets no new ones.
    const handshakes = before?.handshakes ?? new HandshakeSlots(this.monotonic);
    // Removed first, so that the map stays in the order of the penalties.
    this.#remove(group);
    if (this.#byGroup.size >= this.max) this.#makeRoom();
    this.#byGroup.set(group, {
      address: group,
      until: this.now() + durationMs,
      reason,
      effect,
      handshakes,
    });
    if (effect === 'slow') this.#slowed += 1;
    return before?.effect !== effect;
  }

  /** The penalty that a group has now; `handshakes` is the allowance of a slowed one. */
  find(group: string): Held | undefined {
    const penalty = this.#byGroup.get(group);
    if (penalty === undefined || penalty.until > this.now()) return penalty;
    this.#remove(group);
    return undefined;
  }

  /** Milliseconds until the one that began first ends; `undefined` when there is none. */
  untilFirstEnds(): number | undefined {
    const [first] = this.#byGroup.values();
    return first && first.until - this.now();
  }

  /** Ends a penalty; whether there was one. */
  lift(group: string): boolean {
    const found = this.find(group) !== undefined;
    this.#remove(group);
    return found;
  }

  /** All penalties that hold now. */
  list(): Penalty[] {
    this.#removeEnded();
    return [...this.#byGroup.values()].map(({ handshakes: _handshakes, ...penalty }) => penalty);
  }

  #makeRoom(): void {
    this.#removeEnded();
    for (const group of this.#byGroup.keys()) {
      if (this.#byGroup.size < this.max) return;
      this.#remove(group);
    }
  }

  #removeEnded(): void {
    const now = this.now();
    for (const [group, { until }] of this.#byGroup) if (until <= now) this.#remove(group);
  }

  #remove(group: string): void {
    if (this.#byGroup.get(group)?.effect === 'slow') this.#slowed -= 1;
    this.#byGroup.delete(group);
  }
}
