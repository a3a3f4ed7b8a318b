import type { Settlement } from '@activity-gateway/pipeline/api';

interface Entry {
  readonly messages: number;
  state: 'open' | 'durable' | 'lost';
}

/**
 * Counts how many messages of a connection, from its first one on, are durable without a gap. Batches settle in any
 * order; a message counts only when all before it do. Work and memory are one small object for each batch in flight.
 */
export class AckTracker {
  readonly #entries: Entry[] = [];
  /** Entries before this place have been counted; they are cut off now and then, not each time. */
  #head = 0;
  #open = 0;
  #durable = 0;
  #lost = false;

  /** Messages that may be acknowledged. */
  get durable(): number {
    return this.#durable;
  }

  /** Batches that have not settled. */
  get open(): number {
    return this.#open;
  }

  /** Whether a message was dropped: it and all after it are never acknowledged on this connection. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Whether `durable` is final for what was followed so far. */
  get complete(): boolean {
    const next = this.#entries[this.#head];
    return next === undefined || next.state === 'lost';
  }

  /**
   * Follows the next messages of the stream; to be called in their order.
   * @returns to be called once, when they have settled
   */
  follow(messages: number): (settlement: Settlement) => void {
    const entry: Entry = { messages, state: 'open' };
    this.#entries.push(entry);
    this.#open += 1;
    return ({ dropped }) => {
      this.#open -= 1;
      entry.state = dropped === 0 ? 'durable' : 'lost';
      this.#lost ||= dropped > 0;
      this.#advance();
    };
  }

  /** The next messages of the stream are durable already. */
  skip(messages: number): void {
    this.#entries.push({ messages, state: 'durable' });
    this.#advance();
  }

  #advance(): void {
    for (let next = this.#entries[this.#head]; next?.state === 'durable'; next = this.#entries[this.#head]) {
      this.#durable += next.messages;
      this.#head += 1;
    }
    if (this.#head < 64 && this.#head < this.#entries.length) return;
    this.#entries.splice(0, this.#head);
    this.#head = 0;
  }
}
