import type { JsonSchema } from '@activity-gateway/pipeline/api';
import { flagSettings, numberSettings, type NumberSetting } from './definitions.js';

/**
 * Schema of `settings:` in gateway.yaml: closed, with the ranges of the reference. Beyond them the file may give port 0,
 * any free port, which suits tests and demos; the store may not, because agents need a port to be told.
 */
export const settingsSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  description: 'Values for settings, below those set over the API and above the defaults.',
  properties: {
    ...Object.fromEntries(
      Object.entries(numberSettings).map(([name, setting]) => [name, property(name, setting)]),
    ),
    ...Object.fromEntries(
      Object.entries(flagSettings).map(([name, { description }]) => [name, { type: 'boolean', description }]),
    ),
  },
};

/** Smallest value that gateway.yaml may give. */
export function fileMinimum(name: string, setting: NumberSetting): number {
  return name === 'activitymonitor_tcp_port' ? 0 : setting.minimum;
}

function property(name: string, setting: NumberSetting): JsonSchema {
  const note = name === 'activitymonitor_tcp_port' ? ' 0 = any free port.' : '';
  return {
    type: 'integer',
    minimum: fileMinimum(name, setting),
    maximum: setting.maximum,
    // No default here: the file must be told apart from the defaults.
    description: `${setting.description}${note} Unit: ${setting.unit}. Default: ${setting.default}.`,
  };
}
