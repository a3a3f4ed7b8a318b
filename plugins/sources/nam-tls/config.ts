import type { JsonSchema } from '@app/pipeline/api';

/** Options of `sources.nam_tls`. Port, limits and timeouts are settings of the gateway, not of a pipeline. */
export interface NamTlsConfig {
  /** Messages of one batch at most; what arrives together beyond it is split. */
  readonly max_batch_events: number;
}

/** Closed schema of the options. */
export const namTlsConfigSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    max_batch_events: {
      type: 'integer',
      minimum: 1,
      maximum: 10_000,
      default: 1_000,
      description: 'Messages handed to the pipeline at once, at most.',
    },
  },
};
