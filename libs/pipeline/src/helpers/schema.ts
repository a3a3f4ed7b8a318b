import type { JsonSchema } from '../api/index.js';

/** Text, or what `coerceText`, `coerceBool`, `coerceUint64` and `readIp` read as such; null counts as absent. */
export const scalar: JsonSchema = Object.freeze({ type: ['string', 'number', 'boolean', 'null'] });

/** A `scalar` that must be there. */
export const requiredScalar: JsonSchema = Object.freeze({ type: ['string', 'number', 'boolean'] });

/** A list as `coerceTextList` reads it: an array of scalars, or text. */
export const scalarList: JsonSchema = Object.freeze({
  type: ['array', 'string', 'number', 'boolean', 'null'],
  items: scalar,
});

/** A schema's `properties` that all look the same. */
export function propertiesOf(keys: readonly string[], schema: JsonSchema): Record<string, JsonSchema> {
  return Object.fromEntries(keys.map((key) => [key, schema]));
}
