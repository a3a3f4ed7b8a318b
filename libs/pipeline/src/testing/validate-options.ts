import { Ajv } from 'ajv';
import ajvFormats from 'ajv-formats';
import type { PluginDefinition } from '../api/index.js';
import { fillEventAge } from '../config/retention.js';

/** `clickhouse.retention_days` by default: what the host gives a parser without `max_event_age`. */
const DEFAULT_RETENTION_DAYS = 400;

/**
 * Checks a plugin's options as the host does and applies the defaults; the given object stays as it is.
 * @throws Error with every problem, one a line
 */
export function validateOptions(
  definition: Pick<PluginDefinition, 'id' | 'configSchema'>,
  options: unknown,
): Record<string, unknown> {
  const ajv = new Ajv({ allErrors: true, strict: true, useDefaults: true, allowUnionTypes: true });
  ajvFormats.default(ajv);
  const validate = ajv.compile<Record<string, unknown>>(definition.configSchema);
  const copy: unknown = structuredClone(options ?? {});
  if (validate(copy)) {
    fillEventAge(definition.configSchema, copy, DEFAULT_RETENTION_DAYS);
    return copy;
  }
  const problems = (validate.errors ?? []).map(
    ({ instancePath, message, params }) =>
      `${instancePath === '' ? '/' : instancePath} ${message ?? ''} ${JSON.stringify(params)}`,
  );
  throw new Error(`The options of ${definition.id} are not valid:\n${problems.join('\n')}`);
}
