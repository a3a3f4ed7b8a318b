import { Ajv, type ErrorObject } from 'ajv';
import type { JsonSchema } from '../api/index.js';
import type { Keyed } from '../fast/index.js';
import type { KnownKeys } from './extra.js';
import { requiredScalar, scalar } from './schema.js';

/** Tells what is wrong with a message; `undefined` when it fits. */
export type SchemaCheck = (message: unknown) => readonly ErrorObject[] | undefined;

/** Tells whether a schema is one. Ajv does it too, but each instance makes itself the validator, in 15 to 40 ms. */
let draft07: Ajv | undefined;

/** From this many properties on, going through what was sent is cheaper than asking for each of them. */
const MIN_SCALARS = 12;
/** Keywords that say nothing about a property which `properties` names. */
const SPLITTABLE = new Set(['type', 'required', 'properties', 'title', 'description', '$id', '$schema']);

/**
 * Compiles a JSON Schema (draft-07) with Ajv.
 *
 * Ajv reads every property by name, sent or not and twice when it was; of messages in a hundred shapes, as senders send
 * them, 25 properties cost 0.5 us so. Therefore the many properties that may be any `scalar` are looked at first, by
 * going through the keys that were sent, and the schema without them after: 0.13 us together. Only a message that does
 * not pass so meets the whole schema, which then tells what is wrong with it, if anything is.
 *
 * @param keys messages will be arranged by these: of one shape, so that Ajv alone needs 0.05 us
 * @throws TypeError for a schema that an arranged message cannot be told by
 */
export function compileSchema(schema: JsonSchema, keys?: KnownKeys): SchemaCheck {
  void (draft07 ??= new Ajv()).validateSchema(schema, true);
  const ajv = new Ajv({
    strict: true,
    allErrors: false,
    allowUnionTypes: true,
    verbose: true,
    validateSchema: false,
  });
  const whole = ajv.compile(schema);
  const check: SchemaCheck = (message) => (whole(message) ? undefined : (whole.errors ?? []));
  if (keys !== undefined) {
    requireArrangeable(schema, keys);
    return check;
  }
  const scalars = new ScalarProperties(schema);
  if (scalars.size < MIN_SCALARS) return check;
  const others = ajv.compile(scalars.takenOutOf(schema));
  return (message) => (others(message) && scalars.fit(message as Keyed) ? undefined : check(message));
}

/** An arranged message lacks the keys that are not known, and has all that are. */
function requireArrangeable(schema: JsonSchema, keys: KnownKeys): void {
  const keyword = Object.keys(schema).find((each) => !SPLITTABLE.has(each));
  if (keyword !== undefined) {
    throw new TypeError(
      `A parser with "keys" cannot have "${keyword}" in its schema: it would see known keys only.`,
    );
  }
  // Strict mode has seen to it that `properties` has all that `required` names.
  const missing = Object.keys(schema['properties'] ?? {}).find((key) => !keys.has(key));
  if (missing !== undefined) {
    throw new TypeError(
      `The "keys" of a parser have to hold all that its schema names; "${missing}" is missing.`,
    );
  }
}

/** The properties of a schema that are `scalar` or `requiredScalar`. */
class ScalarProperties {
  readonly #nullable = new Set<string>();
  readonly #notNull = new Set<string>();

  constructor({ properties, ...schema }: JsonSchema) {
    if (schema['type'] !== 'object' || !Object.keys(schema).every((keyword) => SPLITTABLE.has(keyword)))
      return;
    for (const [key, value] of Object.entries((properties ?? {}) as Keyed)) {
      // What every object has of itself counts as sent for Ajv, but not here.
      if (key in Object.prototype) continue;
      if (value === scalar) this.#nullable.add(key);
      else if (value === requiredScalar) this.#notNull.add(key);
    }
  }

  get size(): number {
    return this.#nullable.size + this.#notNull.size;
  }

  /** The schema with anything allowed for these properties; which keys are required stays. */
  takenOutOf(schema: JsonSchema): JsonSchema {
    const properties = Object.entries((schema['properties'] ?? {}) as Keyed);
    const required = new Set((schema['required'] ?? []) as readonly string[]);
    const left = properties.filter(([key]) => !this.#has(key) || required.has(key));
    const open = left.map(([key, value]) => [key, this.#has(key) ? true : value]);
    return { ...schema, properties: Object.fromEntries(open) as JsonSchema };
  }

  /** Whether each of these properties that was sent is a scalar. */
  fit(message: Keyed): boolean {
    for (const key in message) {
      const value = message[key];
      if (typeof value === 'string' || typeof value === 'boolean') continue;
      if (value === null ? !this.#notNull.has(key) : typeof value === 'number' && Number.isFinite(value))
        continue;
      if (value === null || this.#has(key)) return false;
    }
    return true;
  }

  #has(key: string): boolean {
    return this.#nullable.has(key) || this.#notNull.has(key);
  }
}
