import { isAscii, transcode } from 'node:buffer';

/** From this size on, bytes, `transcode` reads UTF-8 faster than `toString`, and JSON.parse reads its text faster. */
const MIN_TRANSCODED = 8 * 1024;

/**
 * A line of a stream, without its end, as a range of the chunk it came in. A view of the bytes is made only when it is
 * asked for: most lines never need one.
 */
export class Line {
  /**
   * @param chunk bytes that hold the line; not to be changed while the line is used
   * @param start where the line begins in it
   * @param end   where it ends, exclusive
   */
  constructor(
    readonly chunk: Buffer,
    readonly start: number,
    readonly end: number,
  ) {}

  /** The line that these bytes are. */
  static of(bytes: Buffer): Line {
    return new Line(bytes, 0, bytes.length);
  }

  /** Bytes. */
  get length(): number {
    return this.end - this.start;
  }

  /** The first byte; `undefined` in an empty line. */
  get first(): number | undefined {
    return this.start < this.end ? this.chunk[this.start] : undefined;
  }

  /** A view of the bytes. */
  get bytes(): Buffer {
    return this.chunk.subarray(this.start, this.end);
  }

  /** The bytes as UTF-8; what is none becomes U+FFFD. */
  get text(): string {
    if (this.length < MIN_TRANSCODED) return this.chunk.toString('utf8', this.start, this.end);
    const { bytes } = this;
    if (isAscii(bytes)) return bytes.toString('latin1');
    try {
      return transcode(bytes, 'utf8', 'utf16le').toString('utf16le');
    } catch {
      return bytes.toString('utf8');
    }
  }
}
