import type { JsonSchema } from '@activity-gateway/pipeline/api';
import { eventTimeOptions, type EventTimeOptions } from '@activity-gateway/pipeline/helpers';

/** Options of `parsers.leef`. */
export interface LeefConfig extends EventTimeOptions {
  /** IANA name. */
  readonly time_zone: string;
}

/** Schema of `LeefConfig`. */
export const leefConfigSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  required: [],
  properties: {
    time_zone: {
      type: 'string',
      minLength: 1,
      default: 'UTC',
      description:
        'Time zone of times that name none, as an IANA name such as Europe/Berlin. Holds for devTime and for syslog headers.',
    },
    ...eventTimeOptions,
  },
};
