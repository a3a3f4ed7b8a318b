import { defineEventType } from './define-event-type.js';

/**
 * Refused events, table `dead_letters`. The runtime makes the records; sinks write them as any other event type.
 * `event_type` is the `type` of what the event would have become; empty where that is unknown.
 * `raw` is the line as received; bytes that are no UTF-8 are base64, and `raw_encoding` says which (`utf8`, `base64`). Of a
 * row that a sink's `destination` has rejected it is the row (`row`), a JSON object by the fields' names, times as ISO 8601.
 */
export const deadLetters = defineEventType({
  name: 'dead_letters',
  type: 'dead-letter',
  fields: {
    pipeline: { kind: 'keyword' },
    stage: { kind: 'keyword' },
    code: { kind: 'keyword' },
    field: { kind: 'text' },
    message: { kind: 'text' },
    raw: { kind: 'text' },
    raw_encoding: { kind: 'keyword' },
    replayed_at: { kind: 'time', nullable: true },
    event_type: { kind: 'keyword' },
    destination: { kind: 'keyword' },
  },
  storage: { time: 'received_at', orderBy: ['code'] },
});
