import { Line } from '../fast/index.js';
import { beginsLength, MAX_LENGTH_BYTES, octetFrameAt, type OctetFrame } from './octet-count.js';

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const NUL = 0x00;
const SPACE = 0x20;
/** The bytes of a byte order mark in UTF-8. */
const BOM_1 = 0xef;
const BOM_2 = 0xbb;
const BOM_3 = 0xbf;
const EMPTY = Buffer.alloc(0);
const MIN_HELD_BYTES = 512;
const MIN_LONG_BYTES = 1024 * 1024;

/**
 * Cuts a byte stream into lines ended by LF, across any chunk boundary. Lines are views into the chunks, or copies where
 * they span several. White space, NULs and byte order marks before a line are left out, and so are its end, NULs and CRs
 * after it; spaces and tabs there stay, as they may belong to its last value. Lines of nothing else are left out. A syslog
 * message whose length stands before it is a line too, with or without LF. Memory is bounded: a line over the limit ends the
 * framing.
 */
export class LineFramer {
  /** Holds the `#pending` bytes of a line that has begun; grows by doubling, so that a drip of bytes costs no more. */
  #held = EMPTY;
  #pending = 0;
  #overflowed = false;
  #discarded = false;

  /**
   * @param maxBytes longest line in bytes, its end not counted; may be changed at any time
   * @param held     told by how many bytes the memory grew or shrank that an unfinished line takes; may call `discard`
   */
  constructor(
    public maxBytes: number,
    private readonly held: (bytes: number) => void = () => undefined,
  ) {}

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
    if (this.#overflowed || this.#discarded) return lines;
    if (this.#pending > 0 && beginsLength(this.#held[0]) && this.#mayEndFrame(chunk)) {
      const joined = Buffer.concat([this.#held.subarray(0, this.#pending), chunk]);
      this.#release();
      return this.#cut(joined, lines);
    }
    return this.#cut(chunk, lines);
  }

  #cut(chunk: Buffer, lines: Line[]): Line[] {
    let start = 0;
    for (;;) {
      // What stands before a line must not count as a line that has begun: some senders end lines with LF and NUL.
      if (this.#pending === 0) {
        start = skipBlank(chunk, start, chunk.length);
        if (beginsLength(chunk[start])) {
          const frame = this.#wholeFrame(chunk, start);
          if (frame === 'unknown') break;
          if (frame !== undefined) {
            lines.push(lineOf(chunk, frame.start, frame.end));
            start = frame.end;
            continue;
          }
        }
      }
      const end = chunk.indexOf(LF, start);
      if (end === -1) break;
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

  /**
   * The frame at a place, if all of it is there and its length fits what is around it: no LF before its end, and blanks or
   * another frame after it. Any other one is read as a line.
   * `unknown` when only more bytes will tell.
   */
  #wholeFrame(chunk: Buffer, start: number): OctetFrame | 'unknown' | undefined {
    const frame = octetFrameAt(chunk, start, chunk.length);
    if (frame === undefined || frame === 'unknown' || frame.end > chunk.length) return undefined;
    if (frame.end - frame.start > this.maxBytes) return undefined;
    const next = chunk[frame.end];
    // Digits may be the next length or the rest of this message, if its length is wrong: what follows will tell.
    if (next !== undefined && !isBlank(next)) {
      const after = beginsLength(next) ? octetFrameAt(chunk, frame.end, chunk.length) : undefined;
      if (after === undefined || after === 'unknown') return after;
    }
    // No further than its end: a chunk may hold thousands of frames and no LF.
    return chunk.subarray(frame.start, frame.end - 1).includes(LF) ? undefined : frame;
  }

  /**
   * Whether the held bytes are of a frame, and end or are told apart from a line with this chunk. What is held of a line
   * that has turned out to be none is not looked at again with every chunk.
   */
  #mayEndFrame(chunk: Buffer): boolean {
    const frame = octetFrameAt(this.#held, 0, this.#pending);
    if (frame === undefined || frame === 'unknown') return frame === 'unknown';
    return frame.end <= this.#pending + chunk.length && this.#pending - frame.end <= MAX_LENGTH_BYTES;
  }

  /** Lets go of an unfinished line, and gives nothing more. Returns its size, bytes. */
  discard(): number {
    const pending = this.#pending;
    this.#discarded = true;
    this.#release();
    return pending;
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
    const before = this.#held.length;
    if (size > before) {
      const most = Math.max(size, this.maxBytes + 1);
      const larger = Buffer.allocUnsafe(Math.min(Math.max(size * 2, MIN_HELD_BYTES), most));
      this.#held.copy(larger, 0, 0, this.#pending);
      this.#held = larger;
    }
    piece.copy(this.#held, this.#pending);
    this.#pending = size;
    if (this.#held.length !== before) this.held(this.#held.length - before);
  }

  /** Gives the held bytes away, with the last ones of their line. */
  #join(last: Buffer): Line {
    const line = this.#joined(last);
    this.#release();
    return lineOf(line, 0, line.length);
  }

  /** A long line is given as it is held: a copy of 64 MiB takes 50 ms. A short one would keep twice its memory. */
  #joined(last: Buffer): Buffer {
    const size = this.#pending + last.length;
    if (size < MIN_LONG_BYTES || size > this.#held.length) {
      return Buffer.concat([this.#held.subarray(0, this.#pending), last]);
    }
    last.copy(this.#held, this.#pending);
    return this.#held.subarray(0, size);
  }

  #release(): void {
    const { length } = this.#held;
    this.#held = EMPTY;
    this.#pending = 0;
    if (length > 0) this.held(-length);
  }

  #overflow(lines: Line[]): Line[] {
    this.#overflowed = true;
    this.#release();
    return lines;
  }
}

/** The line up to a LF, without what is blank around it. */
function lineOf(chunk: Buffer, start: number, end: number): Line {
  const first = chunk[start] ?? 0;
  const last = chunk[end - 1] ?? 0;
  if (end > start && first > SPACE && first !== BOM_1 && last > SPACE) return new Line(chunk, start, end);
  const from = skipBlank(chunk, start, end);
  let to = end;
  for (let at = end; at > from && isBlank(chunk[at - 1]); at -= 1) if (!isSpace(chunk[at - 1])) to = at - 1;
  return new Line(chunk, from, to);
}

/** The place of the first byte that is not blank and belongs to no byte order mark; `end` if there is none. */
function skipBlank(chunk: Buffer, start: number, end: number): number {
  let at = start;
  for (;;) {
    while (at < end && isBlank(chunk[at])) at += 1;
    if (at + 3 > end || chunk[at] !== BOM_1 || chunk[at + 1] !== BOM_2 || chunk[at + 2] !== BOM_3) return at;
    at += 3;
  }
}

function isBlank(byte: number | undefined): boolean {
  return byte === SPACE || byte === NUL || (byte !== undefined && byte >= TAB && byte <= CR);
}

/** What may belong to the last value of a line. */
function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB;
}
