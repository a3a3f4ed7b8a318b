import type { JsonSchema } from '@activity-gateway/pipeline/api';

/** A schema of the document by its name. */
export interface SchemaRef {
  readonly $ref: string;
}

const schemas = new Map<string, JsonSchema>();

/**
 * Gives a schema a name in the document; views call it once beside their interface.
 * @throws Error when two schemas have one name
 */
export function component(name: string, schema: JsonSchema): SchemaRef {
  if (schemas.has(name)) throw new Error(`Two schemas of the API are called ${name}.`);
  schemas.set(name, schema);
  return { $ref: `#/components/schemas/${name}` };
}

/** An array of a named schema. */
export function listOf(items: SchemaRef): JsonSchema {
  return { type: 'array', items };
}

/** All named schemas. */
export function componentSchemas(): Readonly<Record<string, JsonSchema>> {
  return Object.fromEntries(schemas);
}

/** A time as the API writes it: ISO 8601, UTC. */
export const TIME: JsonSchema = {
  type: 'string',
  format: 'date-time',
  examples: ['2026-11-20T09:15:02.187Z'],
};

/** A time, or null where there is none. */
export const TIME_OR_NULL: JsonSchema = { ...TIME, type: ['string', 'null'] };

/** An object with exactly these properties, all of them there unless they are named as optional. */
export function shape(
  properties: Readonly<Record<string, JsonSchema | SchemaRef>>,
  optional: readonly string[] = [],
): JsonSchema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', additionalProperties: false, required, properties };
}
