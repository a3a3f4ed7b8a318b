import { API_VERSION, definePlugin, type ParserDefinition } from '@activity-gateway/pipeline/api';
import { setAsideCounter } from '@activity-gateway/pipeline/helpers';
import { copilotParserConfigSchema, type CopilotParserConfig } from './config.js';
import { copilotEvents } from './event-type.js';
import { createCopilotParser } from './copilot.parser.js';

/** Decodes `Copilot` events into `copilot_events`. */
export const copilotParser: ParserDefinition<CopilotParserConfig> = definePlugin<CopilotParserConfig>({
  id: 'parsers.copilot',
  kind: 'parser',
  apiVersion: API_VERSION,
  stability: 'beta',
  summary: 'Decodes Microsoft 365 Copilot interactions (ActivityType Copilot) into copilot_events.',
  configSchema: copilotParserConfigSchema,
  eventTypes: [copilotEvents],
  create: (config, { metrics }) => createCopilotParser(config, setAsideCounter(metrics, 'parsers.copilot')),
});
