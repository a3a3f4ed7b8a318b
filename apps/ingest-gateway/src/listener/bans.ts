import type { Gauge } from '@app/pipeline/api';
import { canonicalIp } from '@app/pipeline/helpers';

/** One banned address. */
export interface Ban {
  readonly ip: string;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly until: number;
  /** Bounded code. */
  readonly reason: string;
}

/** Bans held at once; beyond it the oldest give way, so that an attack cannot fill the memory. */
const MAX_BANS = 10_000;

/**
 * Banned source addresses, in memory. An IPv4-mapped IPv6 address and its IPv4 form are one address. Ended bans are
 * removed when they are met; there is no timer.
 */
export class Bans {
  readonly #byIp = new Map<string, Ban>();

  /**
   * @param active shows how many there are
   * @param max    bans held at once
   */
  constructor(
    private readonly active?: Gauge,
    private readonly max: number = MAX_BANS,
    private readonly now: () => number = Date.now,
  ) {}

  /** Bans an address, or begins its ban anew. */
  add(address: string, durationMs: number, reason: string): void {
    const ip = keyOf(address);
    // Removed first, so that the map stays in the order of the bans.
    this.#byIp.delete(ip);
    if (this.#byIp.size >= this.max) this.#makeRoom();
    this.#byIp.set(ip, { ip, until: this.now() + durationMs, reason });
    this.active?.set(this.#byIp.size);
  }

  /** The ban of an address, if it is banned now. */
  find(address: string): Ban | undefined {
    const ip = keyOf(address);
    const ban = this.#byIp.get(ip);
    if (ban === undefined || ban.until > this.now()) return ban;
    this.#remove(ip);
    return undefined;
  }

  /** Lifts a ban; whether there was one. */
  lift(address: string): boolean {
    const found = this.find(address) !== undefined;
    if (found) this.#remove(keyOf(address));
    return found;
  }

  /** All bans that hold now. */
  list(): Ban[] {
    this.#removeEnded();
    return [...this.#byIp.values()];
  }

  #makeRoom(): void {
    this.#removeEnded();
    for (const ip of this.#byIp.keys()) {
      if (this.#byIp.size < this.max) return;
      this.#byIp.delete(ip);
    }
  }

  #removeEnded(): void {
    const now = this.now();
    for (const [ip, ban] of this.#byIp) {
      if (ban.until <= now) this.#remove(ip);
    }
  }

  #remove(ip: string): void {
    this.#byIp.delete(ip);
    this.active?.set(this.#byIp.size);
  }
}

function keyOf(address: string): string {
  return canonicalIp(address) ?? address;
}
