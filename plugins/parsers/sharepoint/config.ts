import { eventTimeOptions, type EventTimeOptions } from '@activity-gateway/pipeline/helpers';
import type { JsonSchema } from '@activity-gateway/pipeline/api';

/** Options of `parsers.sharepoint`. */
export type SharepointParserConfig = EventTimeOptions;

/** Schema of the options; defaults applied. */
export const sharepointParserConfigSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { ...eventTimeOptions },
};
