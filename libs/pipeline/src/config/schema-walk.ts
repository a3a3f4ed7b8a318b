import type { JsonSchema } from '../api/index.js';

/** All schemas that may hold at one place. */
export type Schemas = readonly JsonSchema[];

const isSchema = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null;
const listOf = (value: unknown): JsonSchema[] => (Array.isArray(value) ? value.filter(isSchema) : []);

/** The schema itself and all its alternatives. */
export function alternatives(schemas: Schemas): JsonSchema[] {
  return schemas.flatMap((schema) => [
    schema,
    ...alternatives([...listOf(schema.anyOf), ...listOf(schema.oneOf), ...listOf(schema.allOf)]),
  ]);
}

/** What may hold for a key of an object. */
export function propertySchemas(schemas: Schemas, key: string): JsonSchema[] {
  return alternatives(schemas).flatMap((schema) => {
    const properties = schema.properties;
    if (isSchema(properties) && Object.hasOwn(properties, key)) return [properties[key]].filter(isSchema);
    return isSchema(schema.additionalProperties) ? [schema.additionalProperties] : [];
  });
}

/** What may hold for the elements of a list. */
export function itemSchemas(schemas: Schemas): JsonSchema[] {
  return alternatives(schemas).flatMap((schema) => (isSchema(schema.items) ? [schema.items] : []));
}

/** Names of JSON types that are allowed, from `type`, `enum` and `const`; empty when anything is. */
export function typesOf(schemas: Schemas): Set<string> {
  return new Set(alternatives(schemas).flatMap(ownTypes));
}

function ownTypes(schema: JsonSchema): string[] {
  if (typeof schema.type === 'string') return [schema.type];
  if (Array.isArray(schema.type)) return schema.type.map(String);
  const values: unknown[] = Array.isArray(schema.enum)
    ? schema.enum
    : 'const' in schema
      ? [schema.const]
      : [];
  return values.map((value) => (value === null ? 'null' : typeof value));
}
