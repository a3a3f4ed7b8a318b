/** `Buffer.write` without its checks of arguments, which cost more than the writing of a short text. */
type FastBuffer = Buffer & { utf8Write(text: string, offset: number): number };

const INITIAL_BYTES = 64 * 1024;
const KEPT_BYTES = 8 * 1024 * 1024;
/** Under this length a loop over the characters is faster than a call into the runtime. */
const SHORT_TEXT = 24;
/** Above this length a text's size is measured, since room for the worst case would be three times too much. */
const LONG_TEXT = 16 * 1024;

/** A buffer that grows, in which blocks are written one after the other. */
export class ByteWriter {
  offset = 0;
  #buffer: FastBuffer;
  #view: DataView;

  /**
   * @param initialBytes what it has room for before it grows, bytes
   * @param keptBytes    a buffer larger than this, which one large block has blown up, is let go, bytes
   */
  constructor(
    private readonly initialBytes = INITIAL_BYTES,
    private readonly keptBytes = KEPT_BYTES,
  ) {
    this.#buffer = allocate(initialBytes);
    this.#view = viewOf(this.#buffer);
  }

  /** Makes sure that there is room for so many more bytes. What `bytes` and `view` gave before is stale then. */
  reserve(count: number): void {
    const needed = this.offset + count;
    if (needed <= this.#buffer.length) return;
    const larger = allocate(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.offset);
    this.#buffer = larger;
    this.#view = viewOf(larger);
  }

  /** The buffer, for writers that have reserved room. */
  get bytes(): Buffer {
    return this.#buffer;
  }

  /** The buffer as a view, for writers that have reserved room. */
  get view(): DataView {
    return this.#view;
  }

  /** A copy of all that was written; the writer is empty again. */
  take(): Buffer {
    return this.takeInto(Buffer.allocUnsafeSlow(this.offset));
  }

  /** Copies all that was written to the begin of a buffer that is large enough, and gives that part of it; the writer is empty again. */
  takeInto(target: Buffer): Buffer {
    const size = this.#buffer.copy(target, 0, 0, this.offset);
    this.clear();
    return target.subarray(0, size);
  }

  /** The writer is empty again. */
  clear(): void {
    this.offset = 0;
    if (this.#buffer.length <= this.keptBytes) return;
    this.#buffer = allocate(this.initialBytes);
    this.#view = viewOf(this.#buffer);
  }

  /** Writes all that another writer holds. */
  append(other: ByteWriter): void {
    this.reserve(other.offset);
    other.#buffer.copy(this.#buffer, this.offset, 0, other.offset);
    this.offset += other.offset;
  }

  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.#buffer.set(bytes, this.offset);
    this.offset += bytes.length;
  }

  /** Writes what was written since `start` again, until it is there so many times. */
  repeat(start: number, times: number): void {
    const end = start + (this.offset - start) * times;
    this.reserve(end - this.offset);
    // Doubling: a few copies of growing length instead of one for each row.
    for (let at = this.offset; at < end;) {
      const length = Math.min(at - start, end - at);
      this.#buffer.copyWithin(at, start, start + length);
      at += length;
    }
    this.offset = end;
  }

  /** One byte, so many times. */
  fill(byte: number, count: number): void {
    this.reserve(count);
    this.#buffer.fill(byte, this.offset, this.offset + count);
    this.offset += count;
  }

  /** A non-negative integer below 2^53, 7 bits a byte, the lowest first. */
  varint(value: number): void {
    this.reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#buffer[this.offset++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.offset++] = rest;
  }

  /** An integer as 64 bits, two's complement, the lowest byte first. */
  int64(value: number): void {
    this.reserve(8);
    this.#view.setUint32(this.offset, value >>> 0, true);
    this.#view.setInt32(this.offset + 4, Math.floor(value / 0x1_0000_0000), true);
    this.offset += 8;
  }

  /** Length in bytes, then UTF-8; a lone surrogate becomes U+FFFD. */
  string(text: string): void {
    const { length } = text;
    if (length >= SHORT_TEXT) return this.#long(text);
    this.reserve(SHORT_TEXT * 3 + 1);
    const buffer = this.#buffer;
    let at = this.offset;
    buffer[at++] = length;
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) return this.#long(text);
      buffer[at++] = unit;
    }
    this.offset = at;
  }

  #long(text: string): void {
    const { length } = text;
    if (length > LONG_TEXT) {
      const size = Buffer.byteLength(text);
      this.varint(size);
      this.reserve(size);
      this.offset += this.#buffer.utf8Write(text, this.offset);
      return;
    }
    this.reserve(length * 3 + 3);
    // The length stands first but is known last: room is left for the usual case, one byte a character.
    const guess = varintSize(length);
    const start = this.offset + guess;
    const size = this.#buffer.utf8Write(text, start);
    const actual = varintSize(size);
    if (actual !== guess) this.#buffer.copyWithin(this.offset + actual, start, start + size);
    this.varint(size);
    this.offset += size;
  }
}

function varintSize(value: number): number {
  if (value < 0x80) return 1;
  return value < 0x4000 ? 2 : 3;
}

function allocate(size: number): FastBuffer {
  return Buffer.allocUnsafeSlow(size) as FastBuffer;
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
}
