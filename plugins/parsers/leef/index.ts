import { API_VERSION, definePlugin } from '@activity-gateway/pipeline/api';
import { leefConfigSchema, type LeefConfig } from './config.js';
import { leefEvents } from './event-type.js';
import { createLeefParser } from './leef.parser.js';

/** `parsers.leef`: LEEF 1.0 and 2.0 lines of any product, with or without syslog header. */
export const leefParser = definePlugin<LeefConfig>({
  id: 'parsers.leef',
  kind: 'parser',
  apiVersion: API_VERSION,
  stability: 'beta',
  summary: 'Decodes LEEF 1.0 and 2.0 events of any product, with or without syslog header, raw or in JSON.',
  configSchema: leefConfigSchema,
  eventTypes: [leefEvents],
  create: (config) => createLeefParser(config),
});
