const QUOTE = 0x22;
const SLASH = 0x2f;
const ZERO = 0x30;
const NINE = 0x39;
const OPENING_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSING_BRACKET = 0x5d;
const OPENING_BRACE = 0x7b;
const SPACE = 0x20;
const LAST_ASCII = 0x7f;
const LETTER_E = 0x65;
/** `true`, `fals` and `null` as 32-bit words, little-endian. */
const TRUE = 0x65757274;
const FALS = 0x736c6166;
const NULL = 0x6c6c756e;

/** Longer texts with escapes or letters outside ASCII are not read here. */
const MAX_COPIED_BYTES = 4096;
/** Longer lists are not read here. */
const MAX_LIST_BYTES = 512;
/** Digits of a number that is exact in any case. */
const MAX_DIGITS = 15;

/** `Buffer.toString` without its checks of arguments, which cost much of what a short text costs. */
type FastBuffer = Buffer & {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
};

/** 1 for a byte that stands for itself in a text: ASCII without control characters, quote and backslash. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= SPACE && byte <= LAST_ASCII && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);

/** Where the plain bytes end that begin at a place. By a table, which takes less time than comparisons. */
export function endOfPlain(chunk: Buffer, start: number, limit: number): number {
  let at = start;
  while (at < limit && PLAIN[chunk[at] ?? 0] === 1) at += 1;
  return at;
}

/**
 * Reads single values of JSON: texts, whole numbers, `true`, `false`, `null`, and short lists. What it gives is what JSON.parse
 * gives. For anything else, right or wrong, it gives `undefined`.
 */
export class JsonValues {
  /** Where the value ended that was read last, exclusive. */
  end = 0;
  readonly #copy = Buffer.allocUnsafeSlow(MAX_COPIED_BYTES) as FastBuffer;

  /**
   * The value that begins at a place. Does not throw.
   * @param view  of the whole chunk
   * @param limit where the line ends, exclusive; the value has to end before it
   */
  read(chunk: Buffer, view: DataView, at: number, limit: number): unknown {
    const first = chunk[at] ?? 0;
    if (first === QUOTE) return this.#text(chunk, at + 1, limit);
    if (first >= ZERO && first <= NINE) return this.#number(chunk, at, limit);
    if (first === OPENING_BRACKET) return this.#list(chunk, at, limit);
    if (at + 4 >= limit) return undefined;
    const word = view.getInt32(at, true);
    this.end = at + 4;
    if (word === TRUE) return true;
    if (word === NULL) return null;
    if (word === FALS && chunk[at + 4] === LETTER_E) {
      this.end = at + 5;
      return false;
    }
    return undefined;
  }

  /** A text of any kind, whose quote stands before `start`. */
  #text(chunk: Buffer, start: number, limit: number): string | undefined {
    const copy = this.#copy;
    const most = Math.min(limit, start + MAX_COPIED_BYTES);
    let size = 0;
    let all = 0;
    for (let at = start; at < most; at += 1) {
      let byte = chunk[at] ?? 0;
      if (byte === QUOTE) {
        this.end = at + 1;
        return all <= LAST_ASCII ? copy.latin1Slice(0, size) : trusted(copy.utf8Slice(0, size));
      }
      if (byte < SPACE) return undefined;
      if (byte === BACKSLASH) {
        at += 1;
        byte = chunk[at] ?? 0;
        if (byte !== BACKSLASH && byte !== QUOTE && byte !== SLASH) return this.#escaped(chunk, start, limit);
      }
      all |= byte;
      copy[size++] = byte;
    }
    return undefined;
  }

  /** A text with escapes like `\u0027`, which JSON.parse reads. */
  #escaped(chunk: Buffer, start: number, limit: number): string | undefined {
    const most = Math.min(limit, start + MAX_COPIED_BYTES);
    for (let at = start; at < most; at += 1) {
      const byte = chunk[at];
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) return this.#parsed(chunk, start - 1, at + 1) as string | undefined;
    }
    return undefined;
  }

  /** A whole number; what has a fraction or an exponent ends here where no value may end. */
  #number(chunk: Buffer, start: number, limit: number): number | undefined {
    let value = 0;
    let at = start;
    for (; at < limit; at += 1) {
      const byte = chunk[at] ?? 0;
      if (byte < ZERO || byte > NINE) break;
      value = value * 10 + (byte - ZERO);
    }
    this.end = at;
    const digits = at - start;
    return digits > MAX_DIGITS || (digits > 1 && chunk[start] === ZERO) ? undefined : value;
  }

  /** A list without lists and objects in it. */
  #list(chunk: Buffer, start: number, limit: number): unknown {
    const most = Math.min(limit, start + MAX_LIST_BYTES);
    let inText = false;
    for (let at = start + 1; at < most; at += 1) {
      const byte = chunk[at];
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) inText = !inText;
      else if (inText) continue;
      else if (byte === CLOSING_BRACKET) return this.#parsed(chunk, start, at + 1);
      else if (byte === OPENING_BRACE || byte === OPENING_BRACKET) return undefined;
    }
    return undefined;
  }

  #parsed(chunk: Buffer, start: number, end: number): unknown {
    const text = trusted(chunk.toString('utf8', start, end));
    if (text === undefined) return undefined;
    this.end = end;
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  }
}

/** A text in which nothing was no UTF-8. One that holds U+FFFD may have been sent with it: that is not told here. */
function trusted(text: string): string | undefined {
  return text.includes('\uFFFD') ? undefined : text;
}
