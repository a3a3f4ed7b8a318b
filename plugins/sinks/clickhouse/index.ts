import { API_VERSION, definePlugin } from '@activity-gateway/pipeline/api';
import { ClickHouseSink } from './clickhouse.sink.js';
import { clickhouseSinkConfigSchema, type ClickHouseSinkConfig } from './config.js';

/** `sinks.clickhouse`: one table for each event type. */
export const clickhouseSink = definePlugin<ClickHouseSinkConfig>({
  id: 'sinks.clickhouse',
  kind: 'sink',
  apiVersion: API_VERSION,
  stability: 'beta',
  summary: 'Inserts records into the ClickHouse table of their event type, each exactly once.',
  configSchema: clickhouseSinkConfigSchema,
  create: (config, context) => new ClickHouseSink(config, context),
});
