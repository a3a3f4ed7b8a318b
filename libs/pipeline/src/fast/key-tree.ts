import { compileFunction } from './compile-function.js';
import type { Keyed } from './arrange.js';

/** Makes an object from the values of its keys, in their order. */
export type MakeObject = (values: readonly unknown[]) => Keyed;

/** A place in an order of keys: before the first or after one of them. */
interface Place {
  /** The key that may come next, with its siblings. */
  child: KeyNode | undefined;
  /** Set where an object may end. */
  make: MakeObject | undefined;
}

/** A key in an order of keys. */
export interface KeyNode extends Place {
  /** As it stands in the text: `{"Host":` for the first key of an object, `,"Host":` for a later one. */
  readonly text: string;
  /** Its length, bytes. */
  readonly length: number;
  /** The same as 32-bit words, little-endian; a rest that is no whole word is left out. */
  readonly words: readonly number[];
  /** The last four bytes as such a word. */
  readonly tail: number;
  /** What may stand in its place. */
  sibling: KeyNode | undefined;
}

/** Orders of keys that a tree holds at most; one event type in use has 100 to 160. */
export const MAX_ORDERS = 256;
/** Keys of an object that can be added to a tree, at most. */
export const MAX_KEYS = 64;
/** In JSON without an escape, no integer (which objects move to the front), not `__proto__`, and nothing that could be code. */
const PLAIN_KEY = /^[A-Za-z]\w{0,63}$/;

/** Orders of keys that objects were seen to have. Those that begin alike share their beginning. */
export class KeyTree {
  readonly #root: Place = { child: undefined, make: undefined };
  #orders = 0;

  /** What an object may begin with, with its siblings. */
  get first(): KeyNode | undefined {
    return this.#root.child;
  }

  /** Forgets all. */
  clear(): void {
    this.#root.child = undefined;
    this.#orders = 0;
  }

  /**
   * Adds an order of keys that is `isLearnable`. What came first is tried first, so that rare orders cost the frequent
   * ones nothing.
   * @returns whether the tree has it now; not when it is full
   */
  add(keys: readonly string[]): boolean {
    const full = this.#orders >= MAX_ORDERS;
    let place = this.#root;
    for (const key of keys) {
      const text = `${place === this.#root ? '{' : ','}"${key}":`;
      const known = childOf(place, text);
      if (known === undefined && full) return false;
      place = known ?? appendTo(place, text);
    }
    if (place.make !== undefined) return true;
    if (full) return false;
    this.#orders += 1;
    place.make = makerOf(keys);
    return true;
  }
}

/** Whether a tree can hold these keys: not too many, and each a word of ASCII letters, digits and underscores. */
export function isLearnable(keys: readonly string[]): boolean {
  return keys.length > 0 && keys.length <= MAX_KEYS && keys.every((key) => PLAIN_KEY.test(key));
}

/**
 * The one of the siblings that stands in the text at a place and ends before `end`; `undefined` if none does. Four bytes at
 * a time: the 13 keys of a file event are 170 bytes, half of it.
 */
export function findKey(
  siblings: KeyNode | undefined,
  view: DataView,
  at: number,
  end: number,
): KeyNode | undefined {
  for (let node = siblings; node !== undefined; node = node.sibling) {
    const after = at + node.length;
    if (after < end && view.getInt32(after - 4, true) === node.tail && startsWith(view, at, node.words))
      return node;
  }
  return undefined;
}

function startsWith(view: DataView, start: number, words: readonly number[]): boolean {
  let at = start;
  for (const word of words) {
    if (view.getInt32(at, true) !== word) return false;
    at += 4;
  }
  return true;
}

function childOf(parent: Place, text: string): KeyNode | undefined {
  let node = parent.child;
  while (node !== undefined && node.text !== text) node = node.sibling;
  return node;
}

/** After its siblings. */
function appendTo(parent: Place, text: string): KeyNode {
  const added = nodeOf(text);
  let last = parent.child;
  while (last?.sibling !== undefined) last = last.sibling;
  if (last === undefined) parent.child = added;
  else last.sibling = added;
  return added;
}

function nodeOf(text: string): KeyNode {
  const bytes = Buffer.from(text);
  const words: number[] = [];
  for (let at = 0; at + 4 <= bytes.length; at += 4) words.push(bytes.readInt32LE(at));
  const tail = bytes.readInt32LE(bytes.length - 4);
  return { text, length: bytes.length, words, tail, child: undefined, sibling: undefined, make: undefined };
}

/** An object literal, which makes an object at once (`compileFunction` in `README.md`). */
function makerOf(keys: readonly string[]): MakeObject {
  const members = keys.map((key, place) => `"${key}": values[${place}]`);
  // Senders chose the keys; `PLAIN_KEY` lets words pass only.
  return compileFunction<MakeObject>(['values'], `return { ${members.join(', ')} };`);
}
