import { Fifo } from './fifo.js';

/** How much may be held at once. */
export interface CreditLimits {
  readonly events: number;
  /** Raw bytes. */
  readonly bytes: number;
}

interface Waiter {
  readonly events: number;
  readonly bytes: number;
  readonly resolve: () => void;
}

const ROOM = Promise.resolve();

/**
 * Credit for what the pipeline holds, in events and bytes: the only brake there is, as RxJS has none. A batch is always
 * taken; its giver then waits until there is room for another. So the overshoot is one batch for each giver, a batch
 * above the whole limit passes like any other, and nothing can deadlock. Waiters go on in the order they came.
 */
export class CreditGate {
  readonly #waiting = new Fifo<Waiter>();
  #events = 0;
  #bytes = 0;
  #recheck: NodeJS.Immediate | undefined;

  /**
   * @param limits     asked each time, so that changes hold at once; call `changed` to let waiters see them
   * @param onPressure called when somebody begins to wait and nobody did
   */
  constructor(
    private readonly limits: () => CreditLimits,
    private readonly onPressure: () => void,
  ) {}

  /** Events that hold credit. */
  get events(): number {
    return this.#events;
  }

  /** Raw bytes that hold credit. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many givers wait for room. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Takes credit for a batch; resolves when there is room for another one. */
  take(events: number, bytes: number): Promise<void> {
    this.#events += events;
    this.#bytes += bytes;
    const first = this.#waiting.size === 0;
    if (first && this.#hasRoom()) return ROOM;
    const turn = new Promise<void>((resolve) => this.#waiting.push({ events, bytes, resolve }));
    if (first) this.onPressure();
    return turn;
  }

  /** Gives credit back. */
  release(events: number, bytes: number): void {
    this.#events -= events;
    this.#bytes -= bytes;
    this.#wake();
  }

  /** To be called when the limits have changed. */
  changed(): void {
    this.#wake();
  }

  /** Lets everybody go: nothing more will be given. */
  close(): void {
    clearImmediate(this.#recheck);
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) next.resolve();
  }

  #hasRoom(): boolean {
    const limits = this.limits();
    return this.#events < limits.events && this.#bytes < limits.bytes;
  }

  /**
   * Lets on as many as the room is enough for, guessing that each brings as much as the last time. One that brings
   * nothing must not hold up the others: so the rest is looked at again, as long as there is room.
   */
  #wake(): void {
    const limits = this.limits();
    let events = limits.events - this.#events;
    let bytes = limits.bytes - this.#bytes;
    while (events > 0 && bytes > 0) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      events -= next.events;
      bytes -= next.bytes;
      next.resolve();
    }
    if (this.#waiting.size === 0 || this.#recheck !== undefined || !this.#hasRoom()) return;
    this.#recheck = setImmediate(() => {
      this.#recheck = undefined;
      this.#wake();
    });
  }
}
