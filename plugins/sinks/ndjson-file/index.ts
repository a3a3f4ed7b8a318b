import { API_VERSION, definePlugin } from '@activity-gateway/pipeline/api';
import { ndjsonFileConfigSchema, type NdjsonFileConfig } from './config.js';
import { NdjsonFileSink } from './ndjson-file.sink.js';

/** `sinks.ndjson_file`: one NDJSON file for each event type. */
export const ndjsonFileSink = definePlugin<NdjsonFileConfig>({
  id: 'sinks.ndjson_file',
  kind: 'sink',
  apiVersion: API_VERSION,
  stability: 'beta',
  summary: 'Appends records as NDJSON to one file for each event type.',
  configSchema: ndjsonFileConfigSchema,
  create: (config, context) => new NdjsonFileSink(config, context),
});
