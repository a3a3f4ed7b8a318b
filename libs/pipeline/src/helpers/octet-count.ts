const ZERO = 0x30;
const NINE = 0x39;
const SPACE = 0x20;
const LESS = 0x3c;
const LETTER_L = 0x4c;
/** Digits of a length that are read. */
const MAX_DIGITS = 8;
/** A length and the blank after it, bytes at most: with as many more bytes it is certain whether a frame begins. */
export const MAX_LENGTH_BYTES = MAX_DIGITS + 1;

/** A syslog message whose length stands before it (RFC 6587, 3.4.1: MSG-LEN SP SYSLOG-MSG). */
export interface OctetFrame {
  /** Where the message begins. */
  readonly start: number;
  /** Where it ends, exclusive; maybe behind what has arrived. */
  readonly end: number;
}

/** Whether a length may begin with this byte. */
export function beginsLength(byte: number | undefined): boolean {
  return byte !== undefined && byte > ZERO && byte <= NINE;
}

/**
 * The frame that begins at a place. A length counts only where a priority in `<` `>` or a LEEF header follows.
 * @param end where the bytes end that have arrived
 * @returns `undefined` when there is none, `unknown` when the bytes that tell have not arrived
 */
export function octetFrameAt(chunk: Buffer, at: number, end: number): OctetFrame | 'unknown' | undefined {
  let length = 0;
  let place = at;
  for (; place < end && place - at <= MAX_DIGITS; place += 1) {
    const byte = chunk[place] ?? 0;
    if (byte < ZERO || byte > NINE) break;
    length = length * 10 + byte - ZERO;
  }
  if (place - at > MAX_DIGITS) return undefined;
  if (place + 1 >= end) return place === end || chunk[place] === SPACE ? 'unknown' : undefined;
  const first = chunk[place + 1];
  if (chunk[place] !== SPACE || (first !== LESS && first !== LETTER_L)) return undefined;
  return { start: place + 1, end: place + 1 + length };
}
