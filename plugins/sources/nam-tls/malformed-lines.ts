/** Lines without one message between them, and unreadable lines of a connection, that end it. */
const MAX_LINES = 10;

/**
 * Counts an agent's lines that are no messages, and says when its connection has to end: a single one may come from a
 * fault in one event, ten in a row come from a peer that speaks something else.
 */
export class MalformedLines {
  #unreadable = 0;
  /** Lines since the last message. */
  inARow = 0;

  /** Whether the connection has to end. It stays so. */
  get tooMany(): boolean {
    return this.#tooMany;
  }
  #tooMany = false;

  /**
   * A line that is no message.
   * @param unreadable whether it holds control characters or bytes that are no UTF-8
   */
  line(unreadable: boolean): void {
    this.inARow += 1;
    if (unreadable) this.#unreadable += 1;
    if (this.inARow >= MAX_LINES || this.#unreadable >= MAX_LINES) this.#tooMany = true;
  }
}
