import { API_VERSION, definePlugin } from '../api/index.js';
import { createLiveValue, type WritableLiveValue } from '../helpers/index.js';
import { PluginRegistry } from '../registry/index.js';
import type { FlowSettings, PipelineOptions } from '../runtime/index.js';
import { alphaEvents, betaEvents, FakeParser, FakeSink, FakeSource } from './fake-plugins.js';
import { createRecordingLogger, type RecordingLogger } from './recording-logger.js';
import { createRecordingMetrics, type RecordingMetrics } from './recording-metrics.js';
import { createTestServices, type TestServices } from './test-services.js';

/** A pipeline's options over fakes. */
export interface PipelineHarness {
  readonly options: PipelineOptions;
  readonly source: FakeSource;
  readonly parser: FakeParser;
  /** By name: `main`, and `second` where there are two. */
  readonly sinks: readonly FakeSink[];
  /** The first one. */
  readonly sink: FakeSink;
  readonly settings: WritableLiveValue<FlowSettings>;
  readonly services: TestServices;
  readonly logger: RecordingLogger;
  readonly metrics: RecordingMetrics;
}

/** What a test may choose. */
export interface PipelineHarnessOptions {
  readonly settings?: Partial<FlowSettings>;
  readonly maxBytes?: number;
  /** One by default. */
  readonly sinks?: 1 | 2;
  readonly now?: () => number;
  /** A queue on disk; in memory without it. */
  readonly spool?: {
    readonly directory: string;
    readonly adopt?: readonly string[];
    readonly maxBytes?: number;
  };
  /** `000001` by default. */
  readonly epoch?: string;
}

/** Makes what `createPipeline` takes: a fake source, parser and one or two sinks, the first with the dead letters. */
export function createPipelineHarness(overrides: PipelineHarnessOptions = {}): PipelineHarness {
  const source = new FakeSource();
  const parser = new FakeParser();
  const sinks = Array.from({ length: overrides.sinks ?? 1 }, () => new FakeSink());
  const settings = createLiveValue<FlowSettings>({
    batchSize: 100,
    batchIntervalMs: 50,
    maxConcurrentJobs: 3,
    bufferMaxEvents: 10_000,
    sinkBatchSize: 10_000,
    sinkWriters: 8,
    ...overrides.settings,
  });
  const logger = createRecordingLogger();
  const metrics = createRecordingMetrics();
  const services = createTestServices();
  const names = sinks.map((_, i) => (i === 0 ? 'main' : 'second'));
  const options: PipelineOptions = {
    spec: {
      name: 'test',
      source: { name: 'source', use: 'sources.fake', with: {} },
      steps: [{ name: 'parser', use: 'parsers.fake', with: {} }],
      sinks: names.map((name) => ({ name, use: `sinks.${name}`, with: {} })),
      deadLetters: 'main',
      buffer: {
        maxBytes: overrides.maxBytes ?? 64 * 1024 * 1024,
        spool: {
          enabled: overrides.spool !== undefined,
          maxBytes: overrides.spool?.maxBytes ?? 2 ** 30,
          diskReserveBytes: 0,
        },
      },
    },
    registry: fakeRegistry(source, parser, sinks, names),
    services,
    settings,
    logger,
    metrics,
    gatewayId: 'gw',
    epoch: overrides.epoch ?? '000001',
    ...(overrides.spool && { spool: { adopt: [], ...overrides.spool, thread: false } }),
    ...(overrides.now === undefined ? {} : { now: overrides.now }),
  };
  const [sink] = sinks;
  if (sink === undefined) throw new Error('a pipeline has a sink');
  return { options, source, parser, sinks, sink, settings, services, logger, metrics };
}

function fakeRegistry(
  source: FakeSource,
  parser: FakeParser,
  sinks: readonly FakeSink[],
  names: readonly string[],
): PluginRegistry {
  const common = {
    apiVersion: API_VERSION,
    stability: 'development',
    summary: 'For tests.',
    configSchema: { type: 'object', additionalProperties: false },
  } as const;
  const eventTypes = [alphaEvents, betaEvents];
  return new PluginRegistry([
    definePlugin({
      ...common,
      id: 'sources.fake',
      kind: 'source',
      instances: 'each-reactor',
      create: () => source,
    }),
    definePlugin({ ...common, id: 'parsers.fake', kind: 'parser', eventTypes, create: () => parser }),
    ...sinks.map((sink, i) =>
      definePlugin({ ...common, id: `sinks.${names[i]}`, kind: 'sink', create: () => sink }),
    ),
  ]);
}
