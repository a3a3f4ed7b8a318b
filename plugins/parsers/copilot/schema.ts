import type { JsonSchema } from '@activity-gateway/pipeline/api';
import { propertiesOf, scalar, scalarList } from '@activity-gateway/pipeline/helpers';

/** Other names of keys: the Management Activity API's and the agent's flat ones, each with the key it stands for. */
export const copilotAliases = {
  CreationTime: 'TimeLogged',
  User: 'UserId',
  Region: 'ClientRegion',
} as const;

/** Keys of the record that have a column; `Entity` stands for the resources' names. */
export const copilotKeys = [
  ...['TimeLogged', 'Id', 'Operation', 'OrganizationId', 'UserId', 'UserType'],
  ...['ClientIP', 'ClientRegion', 'Workload', 'CopilotEventData', 'Entity'],
];

/** Lists in `CopilotEventData` that have a nested column, each with the keys of its elements that have one. */
export const copilotLists = {
  Messages: ['Id', 'Size', 'isPrompt', 'JailbreakDetected'],
  Contexts: ['Id', 'Type'],
  AccessedResources: ['Id', 'Name', 'Type', 'SiteUrl', 'Action', 'SensitivityLabelId'],
  AISystemPlugin: ['Id', 'Name'],
  ModelTransparencyDetails: ['ModelProviderName', 'ModelName', 'ModelVersion'],
} as const;

const time = { type: ['string', 'null'] };

function listOf(keys: readonly string[]): JsonSchema {
  return {
    type: ['array', 'null'],
    items: { type: ['object', 'null'], properties: propertiesOf(keys, scalar) },
  };
}

/** `Copilot` as sent: types only. Which keys are required is the parser's, because some have two names. */
export const copilotSchema = {
  type: 'object',
  required: ['Workload'],
  properties: {
    ActivityType: { type: 'string' },
    ...propertiesOf([...copilotKeys, ...Object.keys(copilotAliases)], scalar),
    TimeLogged: time,
    CreationTime: time,
    Entity: scalarList,
    CopilotEventData: {
      type: ['object', 'null'],
      properties: {
        AppHost: scalar,
        ThreadId: scalar,
        ...Object.fromEntries(Object.entries(copilotLists).map(([name, keys]) => [name, listOf(keys)])),
      },
    },
  },
};
