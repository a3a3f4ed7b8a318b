import { eventTimeOptions, type EventTimeOptions } from '@activity-gateway/pipeline/helpers';
import type { JsonSchema } from '@activity-gateway/pipeline/api';

/** Options of `parsers.smb`. */
export type SmbParserConfig = EventTimeOptions;

/** Schema of the options; defaults applied. */
export const smbParserConfigSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { ...eventTimeOptions },
};
