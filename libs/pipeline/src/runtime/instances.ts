import {
  deadLetters,
  GatewayError,
  type EventType,
  type PluginContext,
  type PluginDefinition,
  type PluginKind,
  type Sink,
  type Source,
  type Transform,
} from '../api/index.js';
import type { StepSpec } from '../config/index.js';
import { requiredServices } from '../registry/index.js';
import { InstanceStatusTracker } from './status.js';
import type { PipelineOptions } from './types.js';

/** An instance of a plugin in a pipeline. */
export interface Instance<T> {
  /** Name inside the pipeline. */
  readonly name: string;
  readonly plugin: T;
  readonly board: InstanceStatusTracker;
  readonly context: PluginContext;
}

/** All instances of a pipeline. */
export interface Instances {
  readonly source: Instance<Source>;
  readonly steps: readonly Instance<Transform>[];
  readonly sinks: readonly Instance<Sink>[];
  /** The sink that takes the dead letters; one of `sinks`. */
  readonly deadLetters: Instance<Sink>;
}

/**
 * Makes the instances that a spec names. Does no I/O.
 * @throws GatewayError for a plugin that is unknown, of the wrong kind, or cannot be made, and for an unknown sink
 */
export function createInstances(options: PipelineOptions): Instances {
  const { spec, registry } = options;
  const stepPlugins = spec.steps.map((step) => find(options, step, 'parser'));
  const eventTypes = new Set<EventType>();
  for (const { eventTypes: types } of stepPlugins) for (const type of types) eventTypes.add(type);
  const make = new InstanceMaker(options, [...eventTypes, deadLetters]);
  const sinks = spec.sinks.map((sink) => make.instance<Sink>(sink, find(options, sink, 'sink')));
  const letters = sinks.find(({ name }) => name === spec.deadLetters);
  if (letters === undefined) {
    throw new GatewayError(
      'PIPELINE_SINK_UNKNOWN',
      `The pipeline ${spec.name} sends dead letters to "${spec.deadLetters}", which is none of its sinks.`,
      `Use one of: ${sinks.map(({ name }) => name).join(', ')}.`,
    );
  }
  return {
    source: make.instance<Source>(spec.source, find({ spec, registry }, spec.source, 'source')),
    steps: spec.steps.map((step, i) => make.instance<Transform>(step, stepPlugins[i])),
    sinks,
    deadLetters: letters,
  };
}

function find<Kind extends PluginKind>(
  { spec, registry }: Pick<PipelineOptions, 'spec' | 'registry'>,
  step: StepSpec,
  kind: Kind,
): Extract<PluginDefinition, { kind: Kind }> {
  const definition = registry.get(step.use);
  if (definition === undefined) {
    throw new GatewayError(
      'PLUGIN_UNKNOWN',
      `The pipeline ${spec.name} uses the plugin "${step.use}", which does not exist.`,
      `Use one of: ${registry.ids(kind).join(', ')}.`,
    );
  }
  if (definition.kind !== kind) {
    throw new GatewayError(
      'PLUGIN_KIND_WRONG',
      `The pipeline ${spec.name} uses ${step.use} as a ${kind}, but it is a ${definition.kind}.`,
      `Use one of: ${registry.ids(kind).join(', ')}.`,
    );
  }
  return definition as Extract<PluginDefinition, { kind: Kind }>;
}

class InstanceMaker {
  constructor(
    private readonly options: PipelineOptions,
    private readonly eventTypes: readonly EventType[],
  ) {}

  instance<T>(step: StepSpec, definition: PluginDefinition | undefined): Instance<T> {
    const { spec, now = Date.now } = this.options;
    const board = new InstanceStatusTracker(`${spec.name}/${step.name}`, step.use, now);
    try {
      const context = this.#context(board, definition, now);
      // The configuration was validated against the plugin's own schema when the spec was read.
      const create = definition?.create.bind(definition) as (config: unknown, context: PluginContext) => T;
      return { name: step.name, plugin: create(step.with, context), board, context };
    } catch (error) {
      if (error instanceof GatewayError) throw error;
      throw new GatewayError(
        'INSTANCE_CREATE_FAILED',
        `The instance ${board.id} could not be made: ${error instanceof Error ? error.message : String(error)}`,
        `Check the options of ${step.use}.`,
        { cause: error },
      );
    }
  }

  #context(
    board: InstanceStatusTracker,
    definition: PluginDefinition | undefined,
    now: () => number,
  ): PluginContext {
    const { gatewayId, logger, metrics, services, spec } = this.options;
    return {
      id: board.id,
      gatewayId,
      logger: logger.child({ component: board.id }),
      metrics,
      services: definition === undefined ? {} : requiredServices(definition, services),
      bufferBytes: spec.buffer.maxBytes,
      eventTypes: this.eventTypes,
      now,
      report: (state, reason) => board.reportOwn({ state, reason }),
    };
  }
}
