import type { JsonSchema } from '@activity-gateway/pipeline/api';
import type { DeadLetter } from '../clickhouse/types.js';
import { component, listOf, shape, TIME, TIME_OR_NULL } from '../openapi/component.js';
import { STAGES } from './dead-letter-query.js';
import type { DeadLetterPage, DeadLetterSummary } from './dead-letters.service.js';

const COUNT: JsonSchema = { type: 'integer', minimum: 0 };
const TEXT: JsonSchema = { type: 'string' };
const STAGE: JsonSchema = { enum: STAGES, description: 'Where it was refused.' };

/** Schema of `DeadLetter`. */
export const deadLetterSchema = component(
  'DeadLetter',
  shape({
    id: { type: 'string', format: 'uuid' },
    received_at: TIME,
    agent_spki: { ...TEXT, description: "SPKI hash of the agent's key." },
    agent_host: TEXT,
    source_ip: TEXT,
    pipeline: TEXT,
    stage: STAGE,
    code: { ...TEXT, description: 'Why; stable, for programs.' },
    field: { ...TEXT, description: 'JSON pointer or column of what is wrong; empty where none is known.' },
    message: TEXT,
    raw: { ...TEXT, description: 'What was refused.' },
    raw_encoding: {
      enum: ['utf8', 'base64', 'row'],
      description: 'Of "raw": a line as text, a line that is no UTF-8, or a row as JSON.',
    },
    destination: { ...TEXT, description: 'Table that refused the row; empty for a line.' },
    ingest_batch: TEXT,
    replayed_at: { ...TIME_OR_NULL, description: 'When a replay stored it.' },
    event_type: { ...TEXT, description: 'Type of event, such as file; empty where it is unknown.' },
  }),
);

/** Schema of `DeadLetterPage`. */
export const deadLetterPageSchema = component(
  'DeadLetterPage',
  shape(
    {
      deadLetters: listOf(deadLetterSchema),
      cursor: { ...TEXT, description: 'For the next page; missing on the last one.' },
    },
    ['cursor'],
  ),
);

const countSchema = component(
  'DeadLetterCount',
  shape({ code: TEXT, stage: STAGE, count: COUNT, replayed: COUNT, first: TIME, last: TIME }),
);

/** Schema of `DeadLetterSummary`. */
export const deadLetterSummarySchema = component(
  'DeadLetterSummary',
  shape({
    total: COUNT,
    replayed: { ...COUNT, description: 'Of them, those that were replayed.' },
    byCode: listOf(countSchema),
    size: {
      ...shape({ rows: COUNT, bytes: { ...COUNT, description: 'On disk, compressed.' } }),
      description: 'Of the whole table, whatever the filter.',
    },
  }),
);

/** Schema of the export. OpenAPI 3.1 cannot say that each line is a JSON value of its own. */
export const deadLetterExportSchema: JsonSchema = {
  type: 'string',
  description: 'Each line is a DeadLetter as JSON.',
};

/** A dead letter for the document's examples. */
export const exampleDeadLetter: DeadLetter = {
  id: '0b6f0a3e-6a0c-4c55-9d0c-8f3f0a4f6f11',
  received_at: '2026-11-20T09:15:02.187Z',
  agent_spki: 'ab'.repeat(32),
  agent_host: 'FS-AGENT-01',
  source_ip: '192.0.2.15',
  pipeline: 'activity',
  stage: 'validate',
  code: 'wrong_type',
  field: '/FileSize',
  message: 'Wants an integer.',
  raw: '{"FileSize":"large"}',
  raw_encoding: 'utf8',
  destination: '',
  ingest_batch: 'gw/1/42',
  replayed_at: null,
  event_type: 'file',
};

/** A page for the document's examples. */
export const exampleDeadLetterPage: DeadLetterPage = {
  deadLetters: [exampleDeadLetter],
  cursor: 'MTc5NTE2NjEwMjE4Ny8wYjZmMGEzZS02YTBjLTRjNTUtOWQwYy04ZjNmMGE0ZjZmMTE',
};

/** A summary for the document's examples. */
export const exampleDeadLetterSummary: DeadLetterSummary = {
  total: 4,
  replayed: 1,
  byCode: [
    {
      code: 'wrong_type',
      stage: 'validate',
      count: 4,
      replayed: 1,
      first: '2026-11-19T22:01:40.002Z',
      last: '2026-11-20T09:15:02.187Z',
    },
  ],
  size: { rows: 4, bytes: 1_845 },
};
