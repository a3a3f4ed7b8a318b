import type { ErrorObject } from 'ajv';
import type { JsonSchema } from '../api/index.js';
import { expectation, isSecret, shownValue } from './describe.js';
import { nameHint, nearest } from './nearest.js';
import { here, joinPointer } from './pointer.js';
import type { ConfigCode, Finding } from './problems.js';

const CODES: Readonly<Record<string, ConfigCode>> = {
  type: 'CONFIG_WRONG_TYPE',
  anyOf: 'CONFIG_WRONG_TYPE',
  oneOf: 'CONFIG_WRONG_TYPE',
  minimum: 'CONFIG_OUT_OF_RANGE',
  maximum: 'CONFIG_OUT_OF_RANGE',
  exclusiveMinimum: 'CONFIG_OUT_OF_RANGE',
  exclusiveMaximum: 'CONFIG_OUT_OF_RANGE',
  minLength: 'CONFIG_OUT_OF_RANGE',
  maxLength: 'CONFIG_OUT_OF_RANGE',
  minItems: 'CONFIG_OUT_OF_RANGE',
  maxItems: 'CONFIG_OUT_OF_RANGE',
  pattern: 'CONFIG_WRONG_FORMAT',
  format: 'CONFIG_WRONG_FORMAT',
  enum: 'CONFIG_UNKNOWN_VALUE',
  const: 'CONFIG_UNKNOWN_VALUE',
};

/** Where an error is shown. */
export interface Place {
  readonly pointer: string;
  readonly at: 'key' | 'value';
}

/** The place of Ajv's error: an unknown key itself, the parent of a missing one, else the value. */
export function placeOf(error: ErrorObject, prefix: string): Place {
  const pointer = prefix + error.instancePath;
  const params = error.params as { additionalProperty?: string; missingProperty?: string };
  const key = params.additionalProperty ?? params.missingProperty;
  return key === undefined ? { pointer, at: 'value' } : { pointer: joinPointer(pointer, key), at: 'key' };
}

/**
 * Says Ajv's error in our words.
 * @param pointer as `placeOf` gives it
 * @param shown   the variables of a value from the environment
 */
export function findingOf(error: ErrorObject, pointer: string, shown: string | undefined): Finding {
  const schema = (error.parentSchema ?? {}) as JsonSchema;
  if (error.keyword === 'additionalProperties') return unknownKey(error, pointer, schema);
  if (error.keyword === 'required') return missingKey(error, pointer, schema);
  const code = CODES[error.keyword];
  if (code === 'CONFIG_WRONG_FORMAT') return wrongFormat(error, pointer, schema, shown);
  if (code !== undefined) return wrongValue(code, error, pointer, schema, shown);
  return {
    code: 'CONFIG_INVALID_VALUE',
    message: `${here(pointer)} ${error.message ?? 'is not valid'}.`,
    ...described(schema),
  };
}

function unknownKey(error: ErrorObject, pointer: string, schema: JsonSchema): Finding {
  const name = String((error.params as { additionalProperty: unknown }).additionalProperty);
  const hint =
    name === '<<'
      ? 'Merge keys are not supported: write the keys out.'
      : nameHint(name, Object.keys(schema.properties ?? {}), 'Known keys');
  return {
    code: 'CONFIG_UNKNOWN_KEY',
    message: `${here(pointer)} is not a known key.`,
    ...(hint === undefined ? { hint: 'No keys are known here.' } : { hint }),
  };
}

function missingKey(error: ErrorObject, pointer: string, schema: JsonSchema): Finding {
  const name = String((error.params as { missingProperty: unknown }).missingProperty);
  const own = ((schema.properties ?? {}) as Record<string, JsonSchema>)[name] ?? {};
  return { code: 'CONFIG_MISSING_KEY', message: `${here(pointer)} is missing.`, ...described(own) };
}

function wrongFormat(
  error: ErrorObject,
  pointer: string,
  schema: JsonSchema,
  shown: string | undefined,
): Finding {
  const { pattern, format } = error.params as { pattern?: string; format?: string };
  const wanted = Array.isArray(schema.examples)
    ? expectation(schema)
    : `text ${format === undefined ? `that matches ${String(pattern)}` : `in the format ${format}`}`;
  // What has an "@" may be a URL with a password.
  const secret = isSecret(pointer, schema) || String(error.data).includes('@');
  const message = `${here(pointer)} must be ${wanted}, not ${shownValue(error.data, shown, secret)}.`;
  return { code: 'CONFIG_WRONG_FORMAT', message, ...described(schema) };
}

function wrongValue(
  code: ConfigCode,
  error: ErrorObject,
  pointer: string,
  schema: JsonSchema,
  shown: string | undefined,
): Finding {
  const actual = shownValue(error.data, shown, isSecret(pointer, schema));
  const message = `${here(pointer)} must be ${expectation(schema)}, not ${actual}.`;
  const close = closeValue(error, schema) ?? quotesHint(error, schema);
  return { code, message, ...(close === undefined ? described(schema) : { hint: close }) };
}

function closeValue(error: ErrorObject, schema: JsonSchema): string | undefined {
  if (!Array.isArray(schema.enum) || typeof error.data !== 'string') return undefined;
  const close = nearest(
    error.data,
    schema.enum.filter((value) => typeof value === 'string'),
  );
  return close === undefined ? undefined : `Did you mean "${close}"?`;
}

function quotesHint(error: ErrorObject, schema: JsonSchema): string | undefined {
  const scalar = typeof error.data === 'number' || typeof error.data === 'boolean';
  return scalar && error.keyword === 'type' && schema.type === 'string' ? 'Put it into quotes.' : undefined;
}

function described(schema: JsonSchema): { hint?: string } {
  return typeof schema.description === 'string' ? { hint: schema.description } : {};
}
