import type { JsonSchema } from '@activity-gateway/pipeline/api';
import { component, shape } from '../openapi/component.js';
import { viewFlag, viewNumber } from '../settings/index.js';

/** Body of `PUT /api/v1/settings/:key` and `PUT /api/v1/feature-flags/:key`. */
export interface SetSettingBody {
  readonly value: unknown;
}

/** Schema of `SetSettingBody`; type and range of the value are the setting's own rule. */
export const setSettingSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['value'],
  properties: { value: { description: 'The new value.' } },
};

const SOURCE: JsonSchema = {
  enum: ['store', 'config', 'default'],
  description: 'store = set over this API; config = from gateway.yaml.',
};
const OVERRIDDEN: JsonSchema = {
  type: 'boolean',
  description: 'Whether the value in force is not the default.',
};

/** Schema of `NumberSettingView`. */
export const settingSchema = component(
  'Setting',
  shape({
    key: { type: 'string' },
    value: { type: 'integer' },
    default: { type: 'integer' },
    min: { type: 'integer', description: 'Smallest value, included.' },
    max: { type: 'integer', description: 'Largest value, included.' },
    unit: { type: 'string' },
    description: { type: 'string' },
    overridden: OVERRIDDEN,
    source: SOURCE,
  }),
);

/** Schema of `FlagSettingView`. */
export const flagSchema = component(
  'FeatureFlag',
  shape({
    key: { type: 'string' },
    value: { type: 'boolean' },
    default: { type: 'boolean' },
    description: { type: 'string' },
    overridden: OVERRIDDEN,
    source: SOURCE,
  }),
);

/** A setting for the document's examples. */
export const exampleSetting = viewNumber('activitymonitor_batch_size', 200, 'store');
/** A flag for the document's examples. */
export const exampleFlag = viewFlag('enable_activitymonitor_ingestion', false, 'store');
