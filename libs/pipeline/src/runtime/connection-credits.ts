/** What one connection holds of the credit. */
export interface ConnectionCredit {
  readonly connectionId: string;
  events: number;
  /** Raw bytes. */
  bytes: number;
  /** Bytes it has given since it let the others have a turn. */
  sinceTurn: number;
  /** How many of its batches wait for room. */
  waiting: number;
}

/** What each connection holds; one that holds nothing and waits for nothing is forgotten, so that there are as many as are active. */
export class ConnectionCredits {
  readonly #open = new Map<string, ConnectionCredit>();

  /** How many connections hold credit or wait for it. */
  get size(): number {
    return this.#open.size;
  }

  /** Books credit to a connection. */
  take(connectionId: string, events: number, bytes: number): ConnectionCredit {
    let credit = this.#open.get(connectionId);
    if (credit === undefined) {
      credit = { connectionId, events: 0, bytes: 0, sinceTurn: 0, waiting: 0 };
      this.#open.set(connectionId, credit);
    }
    credit.events += events;
    credit.bytes += bytes;
    credit.sinceTurn += bytes;
    return credit;
  }

  /** Takes credit off a connection's account. */
  release(connectionId: string, events: number, bytes: number): void {
    const credit = this.#open.get(connectionId);
    if (credit === undefined) return;
    credit.events -= events;
    credit.bytes -= bytes;
    this.tidy(credit);
  }

  /** Forgets an account that stands for nothing any more. */
  tidy({ connectionId, events, bytes, waiting }: ConnectionCredit): void {
    if (events <= 0 && bytes <= 0 && waiting === 0) this.#open.delete(connectionId);
  }
}
