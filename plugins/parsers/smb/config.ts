import { eventTimeOptions, type EventTimeOptions } from '@app/pipeline/helpers';
import type { JsonSchema } from '@app/pipeline/api';

/** Options of `parsers.smb`. */
export type SmbParserConfig = EventTimeOptions;

/** Schema of the options; defaults applied. */
export const smbParserConfigSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: { ...eventTimeOptions },
};
