import { compileFunction } from './compile-function.js';

/** Values of a message by key, as sent. */
export type Keyed = Readonly<Record<string, unknown>>;

/** Keys of a message that are not known. The list is used again: to make one for each message costs more than to fill it. */
export interface OtherKeys {
  readonly keys: string[];
  /** How many of `keys` count. */
  count: number;
}

/**
 * Gives a message's values of known keys as an object that has all of these keys in one order, `undefined` where one was
 * not sent, and adds the keys that are not known to the others.
 */
export type Arrange = (message: Keyed, others: OtherKeys) => Keyed;

/** Makes the function for a set of keys. It is separate code for each set, as Ajv makes it for a schema. */
export function arrangeBy(keys: readonly string[]): Arrange {
  const names = keys.map((key) => JSON.stringify(key));
  const places = names.map((_, place) => `value${place}`);
  const takes = names.map((name, place) => `if (key === ${name}) { ${places[place]} = value; continue; }`);
  // In brackets a `__proto__` is a key like any other.
  const members = names.map(
    (name, place) => `${name === '"__proto__"' ? `[${name}]` : name}: ${places[place]}`,
  );
  const body = `
    ${places.length === 0 ? '' : `let ${places.join(', ')};`}
    for (const key in message) {
      const value = message[key];
      switch (key.length) {
        ${casesByLength(keys, takes).join('\n        ')}
      }
      others.keys[others.count++] = key;
    }
    return { ${members.join(', ')} };`;
  return compileFunction<Arrange>(['message', 'others'], body);
}

/** A key is compared with those of its length only, two or three of 28. */
function casesByLength(keys: readonly string[], takes: readonly string[]): string[] {
  const lengths = [...new Set(keys.map(({ length }) => length))];
  return lengths.map((length) => {
    const ofLength = takes.filter((_, place) => keys[place]?.length === length);
    return `case ${length}: ${ofLength.join(' ')} break;`;
  });
}
