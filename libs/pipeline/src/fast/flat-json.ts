import type { Keyed } from './arrange.js';
import { endOfPlain, JsonValues } from './json-values.js';
import { findKey, isLearnable, KeyTree, MAX_KEYS } from './key-tree.js';
import type { Line } from './line.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPENING_BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;

/** More bytes are made a text piece by piece: memory for large texts is new each time, and has to be cleared before. */
const MAX_PIECE_BYTES = 16 * 1024;
/** Longer lines are for JSON.parse, before which their values are counted. */
const MAX_LINE_BYTES = 64 * 1024;
/** Elements of a list within an object that is learned from. */
const MAX_ELEMENTS = 16;
/** One in so many missed lines is learned from, so that frequent orders of keys come first. */
const LEARN_ONE_IN = 16;
/** After so many lines that found no room in a full tree, it is given up if fewer than these were read meanwhile. */
const HOMELESS = 16 * 1024;

/** Counting goes no further: larger numbers are no small integers any more, and take memory each time. */
const MAX_COUNTED = 2 ** 30;

/** Lines of one chunk. */
interface Piece {
  readonly chunk: Buffer;
  /** Of the whole chunk. */
  readonly view: DataView;
  readonly start: number;
  readonly end: number;
  /** The bytes from `start` to `end` as latin1, a character each. */
  readonly text: string;
}

/**
 * Reads lines that hold a JSON object without white space whose keys come in an order that was seen before: so a sender
 * sends all of its events. It gives what JSON.parse gives, or nothing, and then JSON.parse has to read the line. Keys are
 * compared, not read, and texts are ranges of the piece they came in.
 *
 * A text keeps its piece in memory, 16 KiB: who keeps one for longer than its event has to copy it.
 */
export class FlatJson {
  readonly #tree = new KeyTree();
  readonly #values = new JsonValues();
  #missed = 0;
  /** Lines that the tree had no room for, about, and those that were read meanwhile. */
  #homeless = 0;
  #read = 0;

  /**
   * The object of each line, `undefined` for a line that JSON.parse has to read. Does not throw, whatever the lines hold.
   * @param lines as a framer has cut them, in order
   * @param from  first line, inclusive
   * @param to    last line, exclusive
   */
  read(lines: readonly Line[], from: number, to: number): (Keyed | undefined)[] {
    const objects: (Keyed | undefined)[] = [];
    // A new one each time: values in an old one are a note for the garbage collector each.
    const values = new Array<unknown>(MAX_KEYS);
    let piece: Piece | undefined;
    let read = 0;
    for (let index = from; index < to; index += 1) {
      const line = lines[index] as Line;
      let object: Keyed | undefined;
      if (this.#tree.first !== undefined && line.first === OPENING_BRACE && line.length <= MAX_LINE_BYTES) {
        if (piece?.chunk !== line.chunk || line.end > piece.end) piece = pieceOf(lines, index, to);
        object = this.#object(piece, line, values);
      }
      if (object !== undefined) read += 1;
      objects.push(object);
    }
    this.#read = Math.min(this.#read + read, MAX_COUNTED);
    return objects;
  }

  /** To be told what JSON.parse has given for a line that it had to read. */
  learn(value: unknown): void {
    this.#missed += 1;
    if (this.#missed % LEARN_ONE_IN !== 1 || typeof value !== 'object' || value === null) return;
    const keys = Object.keys(value);
    if (!isLearnable(keys) || !keys.every((key) => isReadable((value as Keyed)[key]))) return;
    if (this.#tree.add(keys)) return;
    this.#homeless += LEARN_ONE_IN;
    if (this.#homeless < HOMELESS) return;
    // Senders have changed, or one of them has filled the tree with what nobody else sends.
    if (this.#homeless > this.#read) this.#tree.clear();
    this.#homeless = this.#read = 0;
  }

  #object(piece: Piece, { start, end }: Line, values: unknown[]): Keyed | undefined {
    const { chunk, view, text, start: base } = piece;
    const reader = this.#values;
    let siblings = this.#tree.first;
    let at = start;
    for (let count = 0; ; count += 1) {
      const node = findKey(siblings, view, at, end);
      if (node === undefined) return undefined;
      const from = at + node.length;
      // Most values are plain texts, which are not worth a call.
      const plain = chunk[from] === QUOTE ? endOfPlain(chunk, from + 1, end) : end;
      let value: unknown;
      if (plain < end && chunk[plain] === QUOTE) {
        value = text.substring(from + 1 - base, plain - base);
        at = plain + 1;
      } else {
        value = reader.read(chunk, view, from, end);
        at = reader.end;
      }
      if (value === undefined || at >= end) return undefined;
      values[count] = value;
      const next = chunk[at];
      if (next === CLOSING_BRACE) return at + 1 === end ? node.make?.(values) : undefined;
      if (next !== COMMA) return undefined;
      siblings = node.child;
    }
  }
}

/** The lines from this one on that are in its chunk and not too many, as text. */
function pieceOf(lines: readonly Line[], from: number, to: number): Piece {
  const { chunk, start, end: first } = lines[from] as Line;
  let end = first;
  for (let index = from + 1; index < to; index += 1) {
    const line = lines[index] as Line;
    if (line.chunk !== chunk || line.end - start > MAX_PIECE_BYTES) break;
    end = line.end;
  }
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
  return { chunk, view, start, end, text: chunk.toString('latin1', start, end) };
}

/** Whether a value is none of those that are never read: objects, and lists that are long or not of scalars. */
function isReadable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (!Array.isArray(value) || value.length > MAX_ELEMENTS) return false;
  return value.every((element) => typeof element !== 'object' || element === null);
}
