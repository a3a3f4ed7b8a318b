import { API_VERSION, definePlugin, type ParserDefinition } from '@activity-gateway/pipeline/api';
import { setAsideCounter } from '@activity-gateway/pipeline/helpers';
import { smbParserConfigSchema, type SmbParserConfig } from './config.js';
import { fileEvents } from './event-type.js';
import { createSmbParser } from './smb.parser.js';

/** Decodes `FileSystem` events into `file_events`. */
export const smbParser: ParserDefinition<SmbParserConfig> = definePlugin<SmbParserConfig>({
  id: 'parsers.smb',
  kind: 'parser',
  apiVersion: API_VERSION,
  stability: 'beta',
  summary: 'Decodes file server activity (ActivityType FileSystem) into file_events.',
  configSchema: smbParserConfigSchema,
  eventTypes: [fileEvents],
  create: (config, { metrics }) => createSmbParser(config, setAsideCounter(metrics, 'parsers.smb')),
});
