import type { JsonSchema } from '@activity-gateway/pipeline/api';
import { propertiesOf, scalar } from '@activity-gateway/pipeline/helpers';

/** Lists in `CopilotEventData` that have a nested column, each with the keys of its elements that have one. */
export const copilotLists = {
  Messages: ['Id', 'Size', 'isPrompt', 'JailbreakDetected'],
  Contexts: ['Id', 'Type'],
  AccessedResources: ['Id', 'Name', 'Type', 'SiteUrl', 'Action', 'SensitivityLabelId'],
  AISystemPlugin: ['Id', 'Name'],
  ModelTransparencyDetails: ['ModelProviderName', 'ModelName', 'ModelVersion'],
} as const;

function listOf(keys: readonly string[]): JsonSchema {
  return {
    type: ['array', 'null'],
    items: { type: ['object', 'null'], properties: propertiesOf(keys, scalar) },
  };
}

/** `CopilotEventData` as sent: types only. */
export const eventDataSchema: JsonSchema = {
  type: ['object', 'null'],
  properties: {
    AppHost: scalar,
    ThreadId: scalar,
    ...Object.fromEntries(Object.entries(copilotLists).map(([name, keys]) => [name, listOf(keys)])),
  },
};
