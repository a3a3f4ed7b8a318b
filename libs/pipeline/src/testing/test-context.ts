import { deadLetters, type EventType, type PluginContext } from '../api/index.js';
import { createRecordingLogger, type RecordingLogger } from './recording-logger.js';
import { createRecordingMetrics, type RecordingMetrics } from './recording-metrics.js';
import { createTestServices, type TestServices } from './test-services.js';

/** What an instance reported of itself. */
export interface StateReport {
  readonly state: 'ok' | 'degraded' | 'failed';
  readonly reason: string | undefined;
}

/** A context for one instance in a test: nothing leaves it, everything can be looked at. */
export interface TestContext<Domain extends object = object> extends PluginContext {
  readonly logger: RecordingLogger;
  readonly metrics: RecordingMetrics;
  readonly services: TestServices & Domain;
  /** Calls of `report`, in order. */
  readonly reports: readonly StateReport[];
}

/** What a test may choose of its context. */
export interface TestContextOverrides<Domain extends object = object> {
  readonly id?: string;
  /** A fixed time or a clock, milliseconds since 1970-01-01 UTC; `Date.now` by default. */
  readonly now?: number | (() => number);
  /** Only dead letters by default. */
  readonly eventTypes?: readonly EventType[];
  /** Services of the domain, and others to use in place of those of `createTestServices`. */
  readonly services?: Partial<TestServices> & Domain;
}

/** Makes a context with a recording logger, recording metrics and services that a test can set. */
export function createTestContext<Domain extends object = object>(
  overrides: TestContextOverrides<Domain> = {},
): TestContext<Domain> {
  const { id = 'test/instance', now = Date.now, eventTypes = [deadLetters] } = overrides;
  const reports: StateReport[] = [];
  return {
    id,
    gatewayId: 'test-gateway',
    logger: createRecordingLogger(),
    metrics: createRecordingMetrics(),
    services: { ...createTestServices(), ...overrides.services } as TestServices & Domain,
    bufferBytes: 1024,
    eventTypes,
    now: typeof now === 'number' ? () => now : now,
    reports,
    report: (state, reason) => void reports.push({ state, reason }),
  };
}
