import type { JsonSchema, PluginKind } from '../api/index.js';
import type { PluginRegistry } from '../registry/index.js';
import { OWN_FORMATS } from './check.js';
import { gatewaySchema } from './gateway-schema.js';
import { pipelineSchema, stepSchema } from './pipeline-schema.js';

/** Schemas for editors, by file name. */
export interface ConfigSchemas {
  readonly 'gateway.schema.json': JsonSchema;
  readonly 'pipeline.schema.json': JsonSchema;
}

const DRAFT = 'http://json-schema.org/draft-07/schema#';
/** A value with a variable in it, which an editor cannot look up. */
const VARIABLE: JsonSchema = { type: 'string', pattern: '\\$\\{[^}]*\\}' };
/** Keywords that stay outside when a schema gets `VARIABLE` as an alternative. */
const ANNOTATIONS = new Set(['description', 'default', 'examples', 'writeOnly', 'title', 'deprecated']);

/**
 * Makes the JSON Schemas by which editors complete and check configuration files: plugin ids, their options by `use`,
 * settings. Anywhere a value may be, so may a variable.
 */
export function generateConfigSchemas(registry: PluginRegistry, settingsSchema: JsonSchema): ConfigSchemas {
  const { properties, ...rest } = pipelineSchema as { properties: Record<string, JsonSchema> };
  return {
    'gateway.schema.json': {
      $schema: DRAFT,
      title: 'gateway.yaml',
      ...withVariables(gatewaySchema(settingsSchema)),
    },
    'pipeline.schema.json': {
      $schema: DRAFT,
      title: 'Pipeline',
      ...withVariables({
        ...rest,
        properties: {
          ...properties,
          source: pluginSchema('source', registry),
          steps: { ...properties.steps, items: pluginSchema('parser', registry) },
          sinks: { ...properties.sinks, items: pluginSchema('sink', registry) },
        },
      }),
    },
  };
}

/** One use of a plugin: which options there are depends on its id. */
function pluginSchema(kind: PluginKind, registry: PluginRegistry): JsonSchema {
  const definitions = registry.list(kind);
  const { properties, ...rest } = stepSchema(kind) as { properties: Record<string, JsonSchema> };
  return {
    ...rest,
    properties: { ...properties, use: { ...properties.use, enum: definitions.map(({ id }) => id) } },
    allOf: definitions.map(({ id, summary, configSchema }) => ({
      if: { properties: { use: { const: id } } },
      then: { properties: { with: { description: summary, ...configSchema } } },
    })),
  };
}

function withVariables(schema: JsonSchema): JsonSchema {
  const inner = Object.fromEntries(
    Object.entries(schema)
      // Editors do not know our formats.
      .filter(([name, value]) => name !== 'format' || !OWN_FORMATS.has(String(value)))
      .map(([name, value]) => [name, descend(name, value)]),
  );
  return takesAnyText(inner) ? inner : alternative(inner);
}

function descend(name: string, value: unknown): unknown {
  if (name === 'properties') return mapValues(value, withVariables);
  if (name === 'items' || name === 'additionalProperties')
    return isSchema(value) ? withVariables(value) : value;
  if (name === 'anyOf' || name === 'oneOf') return mapList(value, withVariables);
  if (name === 'allOf') return mapList(value, conditional);
  return value;
}

/** `if` is asked of the text as it stands; only `then` is about values. */
function conditional(schema: JsonSchema): JsonSchema {
  return isSchema(schema.then) ? { ...schema, then: withVariables(schema.then) } : withVariables(schema);
}

/** Containers and free texts take a variable as they are. */
function takesAnyText({
  type,
  enum: values,
  pattern,
  anyOf,
  oneOf,
  allOf,
  properties,
  format,
}: JsonSchema): boolean {
  if (type === 'object' || type === 'array' || properties !== undefined) return true;
  if (values !== undefined || pattern !== undefined || format !== undefined) return false;
  if (type === undefined) return anyOf === undefined && oneOf === undefined && allOf === undefined;
  return (Array.isArray(type) ? type : [type]).includes('string');
}

function alternative(schema: JsonSchema): JsonSchema {
  const entries = Object.entries(schema);
  return {
    ...Object.fromEntries(entries.filter(([name]) => ANNOTATIONS.has(name))),
    anyOf: [Object.fromEntries(entries.filter(([name]) => !ANNOTATIONS.has(name))), VARIABLE],
  };
}

const isSchema = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null;

function mapValues(value: unknown, change: (schema: JsonSchema) => JsonSchema): unknown {
  if (!isSchema(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, isSchema(each) ? change(each) : each]),
  );
}

function mapList(value: unknown, change: (schema: JsonSchema) => JsonSchema): unknown {
  return Array.isArray(value) ? value.map((each: unknown) => (isSchema(each) ? change(each) : each)) : value;
}
