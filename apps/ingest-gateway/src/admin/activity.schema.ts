import type { EventType, JsonSchema } from '@activity-gateway/pipeline/api';
import { shape, TIME, TIME_OR_NULL, type SchemaRef } from '../openapi/component.js';

const COUNT = { type: 'integer', minimum: 0 } as const;

/** Reference to the schema of `ActivityEvent`. */
export const activityEventSchema: SchemaRef = { $ref: '#/components/schemas/ActivityEvent' };

/** Reference to the schema of `ActivitySummary`. */
export const activitySummarySchema: SchemaRef = { $ref: '#/components/schemas/ActivitySummary' };

/** Schemas by name that the types of events decide. An event has, beside these, every column of its type's table. */
export function activitySchemas(eventTypes: readonly EventType[]): Readonly<Record<string, JsonSchema>> {
  const types = eventTypes.map(({ type }) => type);
  const typeCount = shape({ events: COUNT, lastEventTime: TIME_OR_NULL });
  return {
    ActivityEvent: {
      type: 'object',
      required: ['type', 'event_time'],
      properties: { type: { enum: types }, event_time: TIME },
    },
    ActivitySummary: shape({
      types: { type: 'object', propertyNames: { enum: types }, additionalProperties: typeCount },
      deadLetters: shape({ total: COUNT, byCode: { type: 'object', additionalProperties: COUNT } }),
    }),
  };
}

/** An event for the document's examples. */
export const exampleEvent = {
  type: 'file',
  event_time: '2026-11-20T09:15:02.187Z',
  host: 'FS01',
  operation: 'Read',
  path: 'D:\\Finance\\q3.xlsx',
  user_name: 'CORP\\alice',
  client_ip: '192.0.2.15',
};

/** A summary for the document's examples. */
export const exampleSummary = {
  types: { file: { events: 1_200, lastEventTime: '2026-11-20T09:15:02.187Z' } },
  deadLetters: { total: 4, byCode: { bad_time: 4 } },
};
