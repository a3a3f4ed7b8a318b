import type { IpReading } from './coerce-ip.js';
import { InexactNumber, isExact } from './exact-numbers.js';
import { pointer } from './reject.js';

/** What an event carries beyond its columns, by key. Only for `addExtra` and `extraText`: any name may be a key. */
export type Extra = Record<string, unknown>;

/** Values of a message by key, as sent. */
export type Keyed = Readonly<Record<string, unknown>>;

const OWN_COLUMN = '';
const AGENT_HOST = 'AgentHost';

/** The keys that a parser has columns for; the rest of a message goes to its record's `extra`. */
export class KnownKeys {
  /** To each known key the name it is an alias of, or the empty string. Without a prototype: half the cost of a Map. */
  readonly #roles = Object.create(null) as Record<string, string>;

  /**
   * @param keys    keys that have a column of their own
   * @param aliases other names, each with the key it stands for
   */
  constructor(keys: readonly string[], aliases: Readonly<Record<string, string>> = {}) {
    for (const key of keys) this.#roles[key] = OWN_COLUMN;
    for (const [alias, key] of Object.entries(aliases)) this.#roles[alias] = key;
  }

  /**
   * The keys without a column, and aliases that lost to the key they stand for because both were sent.
   * @param agentHost hostname known from the enrollment: an `AgentHost` that says the same is left out
   * @returns `undefined` when there are none
   */
  rest(message: Keyed, agentHost?: string): Extra | undefined {
    const roles = this.#roles;
    let extra: Extra | undefined;
    for (const key in message) {
      const role = roles[key];
      if (role === OWN_COLUMN) continue;
      const value = message[key];
      if (role !== undefined && !(isSent(value) && isSent(message[role]))) continue;
      if (key === AGENT_HOST && value === agentHost) continue;
      extra = addExtra(extra, key, value);
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
  const target = extra ?? {};
  // The one key that would set something else. An object without prototype takes twice as long to make and to write.
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
  return target;
}

/** The value of the column `extra`: a JSON object, or the empty string when there is nothing. */
export function extraText(extra: Extra | undefined): string {
  return extra === undefined ? '' : JSON.stringify(extra);
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
