/** Dead slots at the front that are tolerated before the array is cut. */
const SLACK = 1_024;

/** First in, first out, in constant time however long it gets: `Array.shift` is not. */
export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** The item that is next, if there is one. */
  peek(): T | undefined {
    return this.#items[this.#head];
  }

  /** Takes the next item, if there is one. */
  shift(): T | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head += 1;
    if (this.#head > SLACK && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
