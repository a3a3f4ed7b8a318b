import { eventTimeOptions, type EventTimeOptions } from '@activity-gateway/pipeline/helpers';
import type { JsonSchema } from '@activity-gateway/pipeline/api';

/** Options of `parsers.copilot`. */
export type CopilotParserConfig = EventTimeOptions;

/** Schema of the options; defaults applied. */
export const copilotParserConfigSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { ...eventTimeOptions },
};
