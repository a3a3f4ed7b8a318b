import { arrangeBy, type Arrange, type Keyed, type OtherKeys } from '../fast/index.js';
import type { IpReading } from './coerce-ip.js';
import { InexactNumber, isExact } from './exact-numbers.js';
import { pointer } from './reject.js';

/** What an event carries beyond its columns, by key. Only for `addExtra` and `extraText`: any name may be a key. */
export type Extra = Record<string, unknown>;

/** A key that a parser has a column for. */
interface KnownKey {
  readonly key: string;
  /** The key it is an alias of; `undefined` for one with a column of its own. */
  readonly aliasOf: string | undefined;
  /** The known key that came after it the last time. */
  next: KnownKey | undefined;
}

/** The keys that a parser has columns for; the rest of a message goes to its record's `extra`. */
export class KnownKeys {
  /** Without a prototype: half the cost of a Map. */
  readonly #known = Object.create(null) as Record<string, KnownKey>;
  readonly #start: KnownKey = { key: '', aliasOf: undefined, next: undefined };
  readonly #aliases: readonly (readonly [alias: string, key: string])[];
  /** Made when it is first needed. */
  #arrange: Arrange | undefined;
  /** What `arrange` gave last, and what of it `rest` is asked for. */
  #arranged: Keyed | undefined;
  #sent: Keyed | undefined;
  readonly #others: OtherKeys = { keys: [], count: 0 };

  /**
   * @param keys    keys that have a column of their own
   * @param aliases other names, each with the key it stands for
   */
  constructor(keys: readonly string[], aliases: Readonly<Record<string, string>> = {}) {
    for (const key of keys) this.#known[key] = { key, aliasOf: undefined, next: undefined };
    for (const [key, aliasOf] of Object.entries(aliases)) {
      this.#known[key] = { key, aliasOf, next: undefined };
    }
    this.#aliases = Object.entries(aliases);
  }

  /** Whether a key is known, as itself or as an alias. */
  has(key: string): boolean {
    return key in this.#known;
  }

  /**
   * The known keys of a message in an object that has all of them, in one order, `undefined` where they were not sent.
   * Senders leave out what does not apply, and messages in a hundred shapes are slow to read: schema, decoding and
   * `rest`
   * of a file event 0.5 us together, with this 0.25 us. What is no object is given back.
   */
  arrange(message: unknown): unknown {
    if (typeof message !== 'object' || message === null || Array.isArray(message)) return message;
    this.#arrange ??= arrangeBy(Object.keys(this.#known));
    this.#sent = message as Keyed;
    this.#others.count = 0;
    this.#arranged = this.#arrange(this.#sent, this.#others);
    return this.#arranged;
  }

  /**
   * The keys without a column, and aliases that lost to the key they stand for because both were sent.
   * @param message   as sent, or as `arrange` gave it last
   * @param sameKey   a key that is left out where its value is `sameValue`, because that is known without it
   * @returns `undefined` when there are none
   */
  rest(message: Keyed, sameKey?: string, sameValue?: string): Extra | undefined {
    if (message === this.#arranged) return this.#restOfArranged(message, sameKey, sameValue);
    let extra: Extra | undefined;
    let last = this.#start;
    for (const key in message) {
      // Messages of one kind have their keys in one order: 0.15 us for 22 of them, 0.2 when each is looked up.
      let known = last.next;
      if (known?.key !== key) {
        known = this.#known[key];
        if (known !== undefined) last.next = known;
      }
      if (known !== undefined) {
        last = known;
        if (known.aliasOf === undefined) continue;
      }
      const value = message[key];
      if (known?.aliasOf !== undefined && !(isSent(value) && isSent(message[known.aliasOf]))) continue;
      if (key !== sameKey || value !== sameValue) extra = addExtra(extra, key, value);
    }
    return extra;
  }

  #restOfArranged(
    message: Keyed,
    sameKey: string | undefined,
    sameValue: string | undefined,
  ): Extra | undefined {
    let extra: Extra | undefined;
    const { keys, count } = this.#others;
    // An index, because an iterator with entries makes an object a key: 160 bytes of garbage an event.
    for (let i = 0; i < count; i += 1) {
      const key = keys[i] ?? '';
      const value = this.#sent?.[key];
      if (key !== sameKey || value !== sameValue) extra = addExtra(extra, key, value);
    }
    for (const [alias, key] of this.#aliases) {
      if (isSent(message[alias]) && isSent(message[key])) extra = addExtra(extra, alias, message[alias]);
    }
    return extra;
  }
}

/**
 * Adds a key; makes the object at the first.
 * @throws InexactNumber for a value with a number that JSON.parse has rounded
 */
export function addExtra(extra: Extra | undefined, key: string, value: unknown): Extra {
  if (typeof value !== 'string' && !isExact(value)) throw new InexactNumber(pointer(key));
  return nestExtra(extra, key, value);
}

/** Adds a key like `addExtra`, whose value is made of others' `Extra`: its numbers have been looked at. */
export function nestExtra(extra: Extra | undefined, key: string, value: unknown): Extra {
  const target = extra ?? {};
  // The one key that would set something else. An object without prototype takes twice as long to make and to write.
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
  return target;
}

/** What the escape of a surrogate begins with, also where its backslash is escaped itself: JSON.stringify writes it for a lone one. */
const SURROGATE = /\\ud[89a-f]/;
/** From this length on a pattern finds it faster: in 64 MiB of escaped quotes within 40 ms instead of 250; in short texts 12 ns slower. */
const LONG_TEXT = 65_536;

/**
 * The value of the column `extra`: a JSON object, or the empty string when there is nothing. A lone surrogate, in a key or a
 * value, becomes U+FFFD, as in every other column: ClickHouse reads nothing of a JSON text that has one. Keys that become the
 * same get a number, so that every value stays.
 */
export function extraText(extra: Extra | undefined): string {
  if (extra === undefined) return '';
  // Writing a text of 64 MiB takes 0.2 s and searching it as long: it is replaced first and written once.
  if (hasLongText(extra)) return JSON.stringify(wellFormed(extra));
  const text = JSON.stringify(extra);
  return mayHaveSurrogate(text) ? JSON.stringify(wellFormed(extra)) : text;
}

function hasLongText(extra: Extra): boolean {
  for (const key in extra) {
    const value = extra[key];
    if (typeof value === 'string' && value.length >= LONG_TEXT) return true;
  }
  return false;
}

/** Seldom true, and asked of every event: 20 ns. */
function mayHaveSurrogate(text: string): boolean {
  return text.length < LONG_TEXT ? text.includes('\\ud') : SURROGATE.test(text);
}

/** A copy of a value without lone surrogates. */
function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(wellFormed);
  const object = value as Extra;
  let copy: Extra = {};
  let number = 1;
  for (const key in object) {
    const readable = key.toWellFormed();
    let free = readable;
    // The number only rises: an object of colliding keys takes as many tries as it has keys.
    while (Object.hasOwn(copy, free)) free = `${readable}_${(number += 1)}`;
    copy = nestExtra(copy, free, wellFormed(object[key]));
  }
  return copy;
}

/** Keeps an address as it was sent where its column does not tell all of it (`IpReading.rest`). */
export function keepIpText(
  extra: Extra | undefined,
  message: Keyed,
  key: string,
  reading: IpReading,
): Extra | undefined {
  return reading.rest ? addExtra(extra, key, message[key]) : extra;
}

/** Whether a key has a value; null counts as absent. */
function isSent(value: unknown): boolean {
  return value !== undefined && value !== null;
}
