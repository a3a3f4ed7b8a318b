import { API_VERSION, definePlugin, type ParserDefinition } from '@activity-gateway/pipeline/api';
import { setAsideCounter } from '@activity-gateway/pipeline/helpers';
import { sharepointParserConfigSchema, type SharepointParserConfig } from './config.js';
import { sharepointEvents } from './event-type.js';
import { createSharepointParser } from './sharepoint.parser.js';

/** Decodes `SharePointOnline` events into `sharepoint_events`. */
export const sharepointParser: ParserDefinition<SharepointParserConfig> =
  definePlugin<SharepointParserConfig>({
    id: 'parsers.sharepoint',
    kind: 'parser',
    apiVersion: API_VERSION,
    stability: 'beta',
    summary: 'Decodes SharePoint Online activity (ActivityType SharePointOnline) into sharepoint_events.',
    configSchema: sharepointParserConfigSchema,
    eventTypes: [sharepointEvents],
    create: (config, { metrics }) =>
      createSharepointParser(config, setAsideCounter(metrics, 'parsers.sharepoint')),
  });
