/** A connection, as far as its unfinished message is concerned. */
export interface MessageHolder {
  /** Bytes of a message that has begun and not ended. */
  readonly pendingBytes: number;
  /** Ends the connection and lets go of these bytes at once. */
  giveUp(): void;
}

/**
 * The memory that unfinished messages of all connections of a source share. When it is used up, the connection that holds
 * most is closed: waiting would not help, since nobody's message may end while all of them wait for memory.
 */
export class MessageMemory {
  #used = 0;

  /**
   * @param budget  bytes that may be held now
   * @param holders all connections; asked for only when the budget is passed
   */
  constructor(
    private readonly budget: () => number,
    private readonly holders: () => Iterable<MessageHolder>,
  ) {}

  /** To be told each change of what a connection holds, bytes. */
  readonly change = (bytes: number): void => {
    this.#used += bytes;
    while (bytes > 0 && this.#used > this.budget()) {
      const before = this.#used;
      this.#largest()?.giveUp();
      if (this.#used >= before) return;
    }
  };

  #largest(): MessageHolder | undefined {
    let largest: MessageHolder | undefined;
    for (const holder of this.holders()) {
      if (holder.pendingBytes > (largest?.pendingBytes ?? 0)) largest = holder;
    }
    return largest;
  }
}
