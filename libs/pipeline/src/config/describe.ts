import type { JsonSchema } from '../api/index.js';
import { typesOf } from './schema-walk.js';

const MAX_SHOWN = 60;
const SECRET_KEY = /password|passphrase|secret|token|api_?key|private_?key|credential/i;
const TYPE_NAMES: Readonly<Record<string, string>> = {
  boolean: 'true or false',
  object: 'a section with keys',
  null: 'empty',
};

/** Whether a value must not be shown: its schema says so (`writeOnly`) or its key does. */
export function isSecret(pointer: string, schema: JsonSchema | undefined): boolean {
  return schema?.writeOnly === true || SECRET_KEY.test(pointer);
}

/** What a schema wants, for people: `a whole number between 1 and 65535`. */
export function expectation(schema: JsonSchema): string {
  if (Array.isArray(schema.enum)) return orList(schema.enum.map((value) => JSON.stringify(value)));
  if ('const' in schema) return JSON.stringify(schema.const);
  const types = [...typesOf([schema])];
  return types.length === 0 ? 'something else' : orList(types.map((type) => describeType(type, schema)));
}

function describeType(type: string, schema: JsonSchema): string {
  if (type === 'integer') return `a whole number${bounds(schema)}`;
  if (type === 'number') return `a number${bounds(schema)}`;
  if (type === 'array') return `a list${entries(schema)}`;
  if (type === 'string') return `text${lengths(schema)}${examples(schema)}`;
  return TYPE_NAMES[type] ?? type;
}

function bounds(schema: JsonSchema): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  if (typeof minimum === 'number' && typeof maximum === 'number') return ` between ${minimum} and ${maximum}`;
  const parts = [
    typeof minimum === 'number' ? `at least ${minimum}` : '',
    typeof exclusiveMinimum === 'number' ? `above ${exclusiveMinimum}` : '',
    typeof maximum === 'number' ? `at most ${maximum}` : '',
    typeof exclusiveMaximum === 'number' ? `below ${exclusiveMaximum}` : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? '' : ` of ${parts.join(' and ')}`;
}

function entries({ minItems, maxItems }: JsonSchema): string {
  const parts = [
    typeof minItems === 'number' ? `at least ${minItems}` : '',
    typeof maxItems === 'number' ? `at most ${maxItems}` : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? '' : ` of ${parts.join(' and ')}`;
}

function lengths({ minLength, maxLength }: JsonSchema): string {
  const least = typeof minLength === 'number' ? minLength : 0;
  if (typeof maxLength === 'number') {
    return least < 2 ? ` of at most ${maxLength} characters` : ` of ${least} to ${maxLength} characters`;
  }
  if (least === 0) return '';
  return least === 1 ? ' that is not empty' : ` of at least ${least} characters`;
}

function examples(schema: JsonSchema): string {
  const texts = Array.isArray(schema.examples)
    ? schema.examples.filter((each) => typeof each === 'string')
    : [];
  return texts.length === 0 ? '' : ` such as ${orList(texts.map((text) => JSON.stringify(text)))}`;
}

/** `a, b or c`. */
export function orList(parts: readonly string[]): string {
  const unique = [...new Set(parts)];
  return unique.length < 2 ? unique.join('') : `${unique.slice(0, -1).join(', ')} or ${unique.at(-1) ?? ''}`;
}

/**
 * A value as messages show it: its kind and itself, but never a secret and never what came from the environment.
 * @param shown the variables of a value from the environment
 */
export function shownValue(value: unknown, shown: string | undefined, secret: boolean): string {
  const kind = kindOf(value);
  if (Array.isArray(value) || (typeof value === 'object' && value !== null)) return kind;
  if (shown !== undefined) return `${kind} in ${shown}`;
  if (secret) return `${kind} given`;
  if (typeof value === 'string') return `${kind} ${JSON.stringify(shortened(value))}`;
  return typeof value === 'number' || typeof value === 'boolean' ? `${kind} ${String(value)}` : kind;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'a section with keys';
  if (typeof value === 'boolean') return 'the value';
  return typeof value === 'string' ? 'the text' : 'the number';
}

function shortened(text: string): string {
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}...`;
}
