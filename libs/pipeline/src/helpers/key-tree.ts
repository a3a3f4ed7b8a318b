import type { Keyed } from './arrange.js';

/** Makes an object from the values of its keys, in their order. */
export type MakeObject = (values: readonly unknown[]) => Keyed;

/** A key in an order of keys. */
export interface KeyNode {
  /** As it stands in the text: `{"Host":` for the first key of an object, `,"Host":` for a later one. */
  readonly text: string;
  /** Its length, bytes. */
  readonly length: number;
  /** The same as 32-bit words, little-endian; a rest that is no whole word is left out. */
  readonly words: readonly number[];
  /** The last four bytes as such a word. */
  readonly tail: number;
  /** What may come after its value, with its siblings. */
  child: KeyNode | undefined;
  /** What may stand in its place. */
  sibling: KeyNode | undefined;
  /** Set where an object may end. */
  make: MakeObject | undefined;
}

/** Orders of keys that a tree holds at most; file events as agents send them have 100 to 160. */
export const MAX_ORDERS = 256;
/** Keys of an object that can be added to a tree, at most. */
export const MAX_KEYS = 64;
/** In JSON without an escape, no integer (which objects move to the front), not `__proto__`, and nothing that could be code. */
const PLAIN_KEY = /^[A-Za-z]\w{0,63}$/;

/** Orders of keys that objects were seen to have. Those that begin alike share their beginning. */
export class KeyTree {
  /** What an object may begin with, with its siblings. */
  first: KeyNode | undefined;
  #orders = 0;

  /** Forgets all. */
  clear(): void {
    this.first = undefined;
    this.#orders = 0;
  }

  /**
   * Adds an order of keys that is `isLearnable`. What came first is tried first, so that rare orders cost the frequent
   * ones nothing.
   * @returns whether the tree has it now; not when it is full
   */
  add(keys: readonly string[]): boolean {
    let node: KeyNode | undefined;
    for (const key of keys) {
      const text = `${node === undefined ? '{' : ','}"${key}":`;
      const next = this.#find(node, text) ?? this.#append(node, text);
      if (next === undefined) return false;
      node = next;
    }
    if (node === undefined) return false;
    if (node.make !== undefined) return true;
    if (this.#orders >= MAX_ORDERS) return false;
    this.#orders += 1;
    node.make = makerOf(keys);
    return true;
  }

  #find(parent: KeyNode | undefined, text: string): KeyNode | undefined {
    let node = parent === undefined ? this.first : parent.child;
    while (node !== undefined && node.text !== text) node = node.sibling;
    return node;
  }

  #append(parent: KeyNode | undefined, text: string): KeyNode | undefined {
    if (this.#orders >= MAX_ORDERS) return undefined;
    const added = nodeOf(text);
    let last = parent === undefined ? this.first : parent.child;
    while (last?.sibling !== undefined) last = last.sibling;
    if (last !== undefined) last.sibling = added;
    else if (parent !== undefined) parent.child = added;
    else this.first = added;
    return added;
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

function nodeOf(text: string): KeyNode {
  const bytes = Buffer.from(text);
  const words: number[] = [];
  for (let at = 0; at + 4 <= bytes.length; at += 4) words.push(bytes.readInt32LE(at));
  const tail = bytes.readInt32LE(bytes.length - 4);
  return { text, length: bytes.length, words, tail, child: undefined, sibling: undefined, make: undefined };
}

/** An object literal: 0.03 us for 13 keys; set one by one they take 0.3 us. */
function makerOf(keys: readonly string[]): MakeObject {
  const members = keys.map((key, place) => `"${key}": values[${place}]`);
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- agents chose the keys; `PLAIN_KEY` lets words pass only
  return new Function('values', `return { ${members.join(', ')} };`) as MakeObject;
}
