import { Line } from './line.js';

const LF = 0x0a;
const CR = 0x0d;
const EMPTY = Buffer.alloc(0);
const MIN_HELD_BYTES = 512;

/**
 * Cuts a byte stream into lines ended by LF, across any chunk boundary. Lines are views into the chunks, or copies
 * where they span several, without LF and a CR before it; empty lines are left out. Memory is bounded: a line over the limit ends the framing.
 */
export class LineFramer {
  /** Holds the `#pending` bytes of a line that has begun; grows by doubling, so that a drip of bytes costs no more. */
  #held = EMPTY;
  #pending = 0;
  #overflowed = false;

  /** @param maxBytes longest line in bytes, its end not counted; may be changed at any time */
  constructor(public maxBytes: number) {}

  /** Whether a line was over the limit: nothing more comes out, and the stream cannot be trusted. */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  /** Bytes of a line that has begun and not ended. */
  get pendingBytes(): number {
    return this.#pending;
  }

  /** The lines that end in this chunk, in order, each as a buffer; those before an overflow are still given. */
  push(chunk: Buffer): Buffer[] {
    return this.cut(chunk).map(({ bytes }) => bytes);
  }

  /** Like `push`, for what reads many lines a second. */
  cut(chunk: Buffer): Line[] {
    const lines: Line[] = [];
    if (this.#overflowed) return lines;
    let start = 0;
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      // Checked before anything is copied; a CR may still come off.
      if (this.#pending + end - start > this.maxBytes + 1) return this.#overflow(lines);
      const whole = this.#pending === 0;
      const line = whole ? lineOf(chunk, start, end) : this.#join(chunk.subarray(start, end));
      start = end + 1;
      if (line.length > this.maxBytes) return this.#overflow(lines);
      if (line.length > 0) lines.push(line);
    }
    if (start < chunk.length) {
      // One byte more than the limit is allowed while it may still turn out to be the CR of a line end.
      if (this.#pending + chunk.length - start > this.maxBytes + 1) return this.#overflow(lines);
      this.#hold(chunk.subarray(start));
    }
    return lines;
  }

  /** The last line of a stream that ended cleanly without LF, if there is one. */
  end(): Buffer | undefined {
    if (this.#overflowed || this.#pending === 0) return undefined;
    const line = this.#join(EMPTY);
    if (line.length > this.maxBytes) {
      this.#overflowed = true;
      return undefined;
    }
    return line.length > 0 ? line.bytes : undefined;
  }

  #hold(piece: Buffer): void {
    const size = this.#pending + piece.length;
    if (size > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.max(size * 2, MIN_HELD_BYTES));
      this.#held.copy(larger, 0, 0, this.#pending);
      this.#held = larger;
    }
    piece.copy(this.#held, this.#pending);
    this.#pending = size;
  }

  /** Gives the held bytes away, with the last ones of their line. */
  #join(last: Buffer): Line {
    const line = Buffer.concat([this.#held.subarray(0, this.#pending), last]);
    this.#release();
    return lineOf(line, 0, line.length);
  }

  #release(): void {
    this.#held = EMPTY;
    this.#pending = 0;
  }

  #overflow(lines: Line[]): Line[] {
    this.#overflowed = true;
    this.#release();
    return lines;
  }
}

/** The line up to a LF, without a CR before it. */
function lineOf(chunk: Buffer, start: number, end: number): Line {
  return new Line(chunk, start, end > start && chunk[end - 1] === CR ? end - 1 : end);
}
