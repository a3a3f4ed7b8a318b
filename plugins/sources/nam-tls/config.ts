import type { JsonSchema } from '@activity-gateway/pipeline/api';

/** Options of `sources.nam_tls`. Port, limits and timeouts are settings of the gateway, not of a pipeline. */
export interface NamTlsConfig {
  /** Messages of one batch at most; what arrives together beyond it is split. */
  readonly max_batch_events: number;
  /** Members and list elements that a message over 64 KiB may have; beyond, it is a dead letter. 10,000 by default. */
  readonly max_message_values?: number;
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
    max_message_values: {
      type: 'integer',
      minimum: 1_000,
      maximum: 1_000_000,
      default: 10_000,
      description:
        'Members and list elements that a message over 64 KiB may have; one with more is a dead letter. ' +
        'A million take about half a second to parse, in which no other agent is served.',
    },
  },
};
