import type { JsonSchema } from '@activity-gateway/pipeline/api';

/** A LEEF event as JSON carries it. */
export interface LeefMessage {
  readonly Message: string;
  readonly [key: string]: unknown;
}

/** Schema of a raw line or a `LeefMessage`; any further key of the latter is kept in `extra`. */
export const leefSchema: JsonSchema = {
  type: ['string', 'object'],
  required: ['Message'],
  properties: {
    Message: { type: 'string', minLength: 1 },
  },
};
