import type { JsonSchema } from '@activity-gateway/pipeline/api';
import { component, shape } from '../openapi/component.js';
import type { ReplayReport } from './replay-report.js';
import type { RawReplayRequest } from './replay-request.js';

const COUNT: JsonSchema = { type: 'integer', minimum: 0 };

/** Schema of `ReplayReport`. */
export const replayReportSchema = component(
  'ReplayReport',
  shape(
    {
      replayed: { ...COUNT, description: 'Stored now and marked as replayed.' },
      alreadyStored: { ...COUNT, description: 'Found stored by an earlier replay; marked now.' },
      refused: { ...COUNT, description: 'Refused as before: they stay as they are.' },
      failed: { ...COUNT, description: 'A sink could not be written to: replay again.' },
      skipped: { ...COUNT, description: 'Replayed before, left alone.' },
      problems: {
        type: 'array',
        description: 'Refusals and failures by code, the most frequent first.',
        items: shape({
          code: { type: 'string' },
          message: { type: 'string', description: 'Of the first one.' },
          count: { type: 'integer', minimum: 1 },
        }),
      },
      cursor: {
        type: 'string',
        description: 'Where to go on, when the limit or a failure ended it before the last one.',
      },
    },
    ['cursor'],
  ),
);

/** A request for the document's examples. */
export const exampleReplayRequest: RawReplayRequest = {
  filter: { code: 'wrong_type', from: '2026-11-01' },
  limit: 10_000,
};

/** A report for the document's examples. */
export const exampleReplayReport: ReplayReport = {
  replayed: 2,
  alreadyStored: 0,
  refused: 1,
  failed: 0,
  skipped: 1,
  problems: [{ code: 'wrong_type', message: 'Wants an integer.', count: 1 }],
};
