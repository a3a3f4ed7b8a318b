import { ConnectionCredits, type ConnectionCredit } from './connection-credits.js';

/** How much may be held at once. */
export interface CreditLimits {
  readonly events: number;
  /** Raw bytes. */
  readonly bytes: number;
}

interface Waiter {
  readonly credit: ConnectionCredit;
  readonly events: number;
  readonly bytes: number;
  readonly resolve: () => void;
}

/**
 * A connection may go on while it holds no more than this many times what is free. So one that is alone gets 8/9 of the limit,
 * several get equal parts, and something is always left for one that comes (`docs/explanation/adr/0017`).
 */
const SHARE_OF_FREE = 8;
/** Bytes after which a connection lets the others have a turn of the event loop; about 0.3 ms of parsing and encoding. */
const TURN_BYTES = 64 * 1024;
/** Bytes that those who waited may bring in one turn of the event loop: all at once would be more than the next stage can take. */
const WAKE_BYTES = 1024 * 1024;

const ROOM = Promise.resolve();

/**
 * Credit for what the pipeline holds, in events and bytes: the only brake there is, as RxJS has none. A batch is always
 * taken; its connection then waits until there is room for another. So the overshoot is one batch for each connection, a batch
 * above the whole limit passes like any other, and nothing can deadlock. Connections share the credit: one that holds much
 * waits before one that holds little, and no connection has the event loop to itself.
 */
export class CreditGate {
  readonly #credits = new ConnectionCredits();
  #waiting: Waiter[] = [];
  #resting: (() => void)[] = [];
  #events = 0;
  #bytes = 0;
  #wakeUp: NodeJS.Immediate | undefined;
  #nextTurn: NodeJS.Immediate | undefined;

  /**
   * @param limits     asked each time, so that changes hold at once; call `changed` to let waiters see them
   * @param onPressure called when somebody begins to wait for room and nobody did
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

  /** How many batches' connections wait for room; those that only let others have a turn do not. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** How many connections hold credit or wait for it. */
  get connections(): number {
    return this.#credits.size;
  }

  /**
   * Takes credit for a batch; resolves when its connection may give another one.
   * @param connectionId who gave it: a connection
   */
  take(events: number, bytes: number, connectionId: string): Promise<void> {
    this.#events += events;
    this.#bytes += bytes;
    const credit = this.#credits.take(connectionId, events, bytes);
    if (!this.#mayGo(credit, this.#free())) return this.#wait(credit, events, bytes);
    if (credit.sinceTurn < TURN_BYTES) return ROOM;
    credit.sinceTurn = 0;
    return this.#rest();
  }

  /** Gives credit back. */
  release(events: number, bytes: number, connectionId: string): void {
    this.#events -= events;
    this.#bytes -= bytes;
    this.#credits.release(connectionId, events, bytes);
    this.#wakeSoon();
  }

  /** To be called when the limits have changed. */
  changed(): void {
    this.#wakeSoon();
  }

  /** Lets everybody go: nothing more will be given. */
  close(): void {
    clearImmediate(this.#wakeUp);
    clearImmediate(this.#nextTurn);
    for (const waiter of this.#waiting.splice(0)) this.#resume(waiter);
    for (const resolve of this.#resting.splice(0)) resolve();
  }

  #free(): CreditLimits {
    const limits = this.limits();
    return { events: limits.events - this.#events, bytes: limits.bytes - this.#bytes };
  }

  #mayGo({ events, bytes }: ConnectionCredit, free: CreditLimits): boolean {
    if (free.events <= 0 || free.bytes <= 0) return false;
    return events <= SHARE_OF_FREE * free.events && bytes <= SHARE_OF_FREE * free.bytes;
  }

  #wait(credit: ConnectionCredit, events: number, bytes: number): Promise<void> {
    credit.waiting += 1;
    const turn = new Promise<void>((resolve) => this.#waiting.push({ credit, events, bytes, resolve }));
    if (this.#waiting.length === 1) this.onPressure();
    return turn;
  }

  #resume({ credit, resolve }: Waiter): void {
    credit.waiting -= 1;
    credit.sinceTurn = 0;
    this.#credits.tidy(credit);
    resolve();
  }

  /** Resolves when the event loop has seen to the other sockets. */
  #rest(): Promise<void> {
    this.#nextTurn ??= setImmediate(() => {
      this.#nextTurn = undefined;
      for (const resolve of this.#resting.splice(0)) resolve();
    });
    return new Promise((resolve) => this.#resting.push(resolve));
  }

  /** Looks at the waiters once for all that is released in this turn of the event loop. */
  #wakeSoon(): void {
    if (this.#waiting.length === 0 || this.#wakeUp !== undefined) return;
    this.#wakeUp = setImmediate(() => {
      this.#wakeUp = undefined;
      this.#wake();
    });
  }

  /**
   * Lets on as many as the room is enough for, in the order they came, guessing that each brings as much as the last
   * time. One that brings nothing must not hold up the others: so the rest is looked at again, as long as somebody goes.
   */
  #wake(): void {
    let free = this.#free();
    let brought = 0;
    const before = this.#waiting;
    this.#waiting = before.filter((waiter) => {
      if (brought > WAKE_BYTES || !this.#mayGo(waiter.credit, free)) return true;
      brought += waiter.bytes;
      free = { events: free.events - waiter.events, bytes: free.bytes - waiter.bytes };
      this.#resume(waiter);
      return false;
    });
    if (this.#waiting.length < before.length) this.#wakeSoon();
  }
}
