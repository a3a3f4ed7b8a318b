import type { JsonSchema } from '@activity-gateway/pipeline/api';

/** `sinks.null` has no options. */
export type NullConfig = Readonly<Record<string, never>>;

/** Schema of `NullConfig`. */
export const nullConfigSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {},
};
