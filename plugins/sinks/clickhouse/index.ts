import { API_VERSION, definePlugin } from '@activity-gateway/pipeline/api';
import { ClickHouseSink } from './clickhouse.sink.js';
import { clickhouseSinkConfigSchema, type ClickHouseSinkConfig } from './config.js';

/** `sinks.clickhouse`: one table for each event type. */
export const clickhouseSink = definePlugin<ClickHouseSinkConfig, 'endpoints'>({
  id: 'sinks.clickhouse',
  kind: 'sink',
  apiVersion: API_VERSION,
  stability: 'beta',
  summary: 'Inserts records into the ClickHouse table of their event type, each exactly once.',
  configSchema: clickhouseSinkConfigSchema,
  requires: ['endpoints'],
  network: [
    {
      direction: 'out',
      port: 'of `clickhouse.url` (8123, or 8443 with TLS)',
      protocol: 'tcp',
      tls: 'optional',
      peer: 'ClickHouse',
      purpose:
        'Inserts and the look-up of what is stored, over HTTP; the embedded ClickHouse is on the loopback address.',
    },
  ],
  create: (config, context) => new ClickHouseSink(config, context),
});
