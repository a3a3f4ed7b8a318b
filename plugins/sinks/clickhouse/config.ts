import type { JsonSchema } from '@activity-gateway/pipeline/api';

/** Options of `sinks.clickhouse`. */
export interface ClickHouseSinkConfig {
  readonly endpoint: string;
  readonly compression: boolean;
  readonly request_timeout: string;
}

/** Schema of `ClickHouseSinkConfig`. */
export const clickhouseSinkConfigSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    endpoint: {
      type: 'string',
      minLength: 1,
      default: 'clickhouse',
      description:
        'Name of the ClickHouse to write to; `clickhouse` is the one that gateway.yaml configures.',
    },
    compression: {
      type: 'boolean',
      default: false,
      description:
        'Whether what is sent is compressed with gzip: for a ClickHouse behind a slow network. It costs CPU time, and the blocks are small already.',
    },
    request_timeout: {
      type: 'string',
      pattern: '^[1-9][0-9]{0,5}(ms|s|m)$',
      default: '120s',
      description:
        'Longest wait for one insert, with a unit: ms, s or m. An insert that takes longer is sent again under the same token.',
    },
  },
};

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

/** A duration that has passed the schema, in ms. */
export function durationMs(text: string): number {
  const unit = text.replace(/^\d+/, '');
  return Number.parseInt(text, 10) * (UNIT_MS[unit] ?? 1);
}
