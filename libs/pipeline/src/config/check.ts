import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import ajvFormats from 'ajv-formats';
import { GatewayError, type JsonSchema } from '../api/index.js';
import { canonicalHost, entriesOf, parseCidr } from '../helpers/index.js';
import type { Evaluation } from './evaluate.js';
import { parentPointer } from './pointer.js';
import { findingOf, placeOf } from './schema-finding.js';

/** Formats of texts that JSON Schema does not have, by name. */
export const OWN_FORMATS: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ['cidr', (text) => parseCidr(text) !== undefined],
  ['host', (text) => canonicalHost(text) !== undefined],
  ['host-list', (text) => entriesOf(text).every((each) => canonicalHost(each) !== undefined)],
  ['cidr-list', (text) => entriesOf(text).every((each) => parseCidr(each) !== undefined)],
]);

/** Tells whether a schema is one. Ajv does it too, but each instance makes itself the validator, in 15 to 40 ms. */
let draft07: Ajv | undefined;
const compiled = new WeakMap<JsonSchema, ValidateFunction>();

/**
 * Checks a value against a schema, puts in the schema's defaults, and reports every problem at its place.
 * @param pointer where the value is in its file
 * @param what    whose schema it is, for the error
 * @returns whether there was none
 * @throws GatewayError `PLUGIN_SCHEMA_INVALID` when the schema is no strict JSON Schema
 */
export function checkValue(
  value: unknown,
  schema: JsonSchema,
  evaluation: Evaluation,
  pointer: string,
  what: string,
): boolean {
  const validate = compile(schema, what);
  if (validate(value)) return true;
  const errors = withoutConsequences(validate.errors ?? []);
  for (const error of errors) report(error, evaluation, pointer);
  return false;
}

function compile(schema: JsonSchema, what: string): ValidateFunction {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const ajv = new Ajv({
    allErrors: true,
    strict: true,
    strictRequired: false,
    allowUnionTypes: true,
    useDefaults: true,
    verbose: true,
    validateSchema: false,
  });
  ajvFormats.default(ajv);
  for (const [name, check] of OWN_FORMATS) ajv.addFormat(name, check);
  try {
    void (draft07 ??= new Ajv()).validateSchema(schema, true);
    const validate = ajv.compile(schema);
    compiled.set(schema, validate);
    return validate;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GatewayError(
      'PLUGIN_SCHEMA_INVALID',
      `The option schema of ${what} cannot be used: ${reason}.`,
      'This is a mistake in the plugin: ask its author.',
      { cause },
    );
  }
}

/** Of an `anyOf` or `oneOf` that failed, its alternatives' own errors say nothing more. */
function withoutConsequences(errors: readonly ErrorObject[]): ErrorObject[] {
  const unions = errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf');
  return errors.filter(
    (error) =>
      error.keyword !== 'if' && !unions.some((union) => error.schemaPath.startsWith(`${union.schemaPath}/`)),
  );
}

function report(error: ErrorObject, evaluation: Evaluation, pointer: string): void {
  const place = placeOf(error, pointer);
  // A key that nobody knows is wrong whatever its value.
  const unknownKey = error.keyword === 'additionalProperties';
  if (evaluation.isBroken(unknownKey ? parentPointer(place.pointer) : place.pointer)) return;
  const atKey = place.at === 'key';
  const position = atKey ? evaluation.keyPosition(place.pointer) : evaluation.valuePosition(place.pointer);
  evaluation.report(position, findingOf(error, place.pointer, evaluation.note(place.pointer)?.shown));
}
