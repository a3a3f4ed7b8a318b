import type { JsonSchema } from '@activity-gateway/pipeline/api';

/** Options of `sinks.ndjson_file`. */
export interface NdjsonFileConfig {
  readonly directory: string;
  readonly fsync: boolean;
}

/** Schema of `NdjsonFileConfig`. */
export const ndjsonFileConfigSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['directory'],
  properties: {
    directory: {
      type: 'string',
      minLength: 1,
      description:
        'Folder of the files, one for each event type; made at start when it does not exist. Relative to the working directory.',
    },
    fsync: {
      type: 'boolean',
      default: true,
      description:
        'Whether a write waits until the disk has the bytes. Without it a power failure can lose events that were counted as delivered.',
    },
  },
};
