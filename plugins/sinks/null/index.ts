import { API_VERSION, definePlugin } from '@activity-gateway/pipeline/api';
import { nullConfigSchema, type NullConfig } from './config.js';
import { NullSink } from './null.sink.js';

/** `sinks.null`: takes everything and keeps nothing, to measure what comes before a sink. */
export const nullSink = definePlugin<NullConfig>({
  id: 'sinks.null',
  kind: 'sink',
  apiVersion: API_VERSION,
  stability: 'stable',
  summary: 'Takes records and keeps nothing of them: for benchmarks and dry runs.',
  configSchema: nullConfigSchema,
  create: () => new NullSink(),
});
