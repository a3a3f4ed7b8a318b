import { component, shape } from '../openapi/component.js';

const STATUS = { enum: ['ok', 'degraded', 'failed', 'disabled'] } as const;

/** Schema of what `/health/live` answers. */
export const livenessSchema = component('Liveness', shape({ status: { const: 'ok' } }));

const componentHealth = component(
  'ComponentHealth',
  shape({ status: STATUS, reason: { type: 'string' } }, ['reason']),
);

/** Schema of `Readiness`. */
export const readinessSchema = component(
  'Readiness',
  shape({ status: STATUS, components: { type: 'object', additionalProperties: componentHealth } }),
);

/** An answer for the document's examples. */
export const exampleReadiness = {
  status: 'degraded',
  components: {
    store: { status: 'ok' },
    clickhouse: { status: 'degraded', reason: 'ClickHouse is starting.' },
    listener: { status: 'ok' },
    reactors: { status: 'ok' },
    pipelines: { status: 'ok' },
  },
};
