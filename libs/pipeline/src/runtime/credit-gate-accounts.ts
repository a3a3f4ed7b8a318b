/** What one giver holds of the credit. */
export interface Account {
  readonly giver: string;
  events: number;
  /** Raw bytes. */
  bytes: number;
  /** Bytes it has given since it let the others have a turn. */
  sinceTurn: number;
  /** How many of its batches wait for room. */
  waiting: number;
}

/** What each giver holds; one that holds nothing and waits for nothing is forgotten, so that there are as many as are active. */
export class Accounts {
  readonly #open = new Map<string, Account>();

  /** How many givers hold credit or wait for it. */
  get size(): number {
    return this.#open.size;
  }

  /** Books credit to a giver. */
  take(giver: string, events: number, bytes: number): Account {
    let account = this.#open.get(giver);
    if (account === undefined) {
      account = { giver, events: 0, bytes: 0, sinceTurn: 0, waiting: 0 };
      this.#open.set(giver, account);
    }
    account.events += events;
    account.bytes += bytes;
    account.sinceTurn += bytes;
    return account;
  }

  /** Takes credit off a giver's account. */
  release(giver: string, events: number, bytes: number): void {
    const account = this.#open.get(giver);
    if (account === undefined) return;
    account.events -= events;
    account.bytes -= bytes;
    this.tidy(account);
  }

  /** Forgets an account that stands for nothing any more. */
  tidy({ giver, events, bytes, waiting }: Account): void {
    if (events <= 0 && bytes <= 0 && waiting === 0) this.#open.delete(giver);
  }
}
