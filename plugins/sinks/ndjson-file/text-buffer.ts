const INITIAL_BYTES = 64 * 1024;
/** A buffer that one large text has blown up is let go when it is larger than this. */
const KEPT_BYTES = 8 * 1024 * 1024;
/** Most bytes that UTF-8 has for a UTF-16 unit. */
const MAX_UNIT_BYTES = 3;

/** Texts one after the other, as UTF-8, in memory that is used again. */
export class TextBuffer {
  #buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #size = 0;

  clear(): void {
    this.#size = 0;
    if (this.#buffer.length > KEPT_BYTES) this.#buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  }

  /** A lone surrogate becomes U+FFFD. */
  append(text: string): void {
    const needed = this.#size + text.length * MAX_UNIT_BYTES;
    if (needed > this.#buffer.length) this.#grow(needed);
    this.#size += this.#buffer.write(text, this.#size);
  }

  /** All of it, in a buffer of its own. */
  copy(): Buffer {
    const copy = Buffer.allocUnsafeSlow(this.#size);
    this.#buffer.copy(copy, 0, 0, this.#size);
    return copy;
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#size);
    this.#buffer = larger;
  }
}
