import { component, shape, TIME, TIME_OR_NULL } from '../openapi/component.js';

const TYPES = ['file', 'sharepoint', 'copilot', 'leef'] as const;
const COUNT = { type: 'integer', minimum: 0 } as const;

/** Schema of `ActivityEvent`: beside these, every column of the table of its type. */
export const activityEventSchema = component('ActivityEvent', {
  type: 'object',
  required: ['type', 'event_time'],
  properties: { type: { enum: TYPES }, event_time: TIME },
});

const typeCount = shape({ events: COUNT, lastEventTime: TIME_OR_NULL });

/** Schema of `ActivitySummary`. */
export const activitySummarySchema = component(
  'ActivitySummary',
  shape({
    types: shape(Object.fromEntries(TYPES.map((type) => [type, typeCount]))),
    deadLetters: shape({ total: COUNT, byCode: { type: 'object', additionalProperties: COUNT } }),
  }),
);

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
  types: Object.fromEntries(
    TYPES.map((type) => [type, { events: 1_200, lastEventTime: '2026-11-20T09:15:02.187Z' }]),
  ),
  deadLetters: { total: 4, byCode: { bad_time: 4 } },
};
