import { GatewayError, type Logger } from '../api/index.js';
import { PipelineCounters } from './counters.js';
import { createInstances, type Instances } from './instances.js';
import { startAll, stopAll, type Startable } from './lifecycle.js';
import { PipelineMeter } from './meter.js';
import { Flow } from './pipeline.js';
import { replay } from './replay.js';
import type { ReplayItem, ReplayOutcome } from './replay-types.js';
import { writeOut } from './write-out.js';
import type { DrainReport, InstanceStatus, Pipeline, PipelineOptions, PipelineStatus } from './types.js';

/** How often gauges are set, ms. */
const GAUGE_INTERVAL_MS = 1_000;
/** How long instances have to stop after a start that failed, ms. */
const CLEAN_UP_MS = 5_000;
/** How long instances have to stop when sinks write nothing, ms: what they had to do is given up. */
const STALLED_STOP_MS = 2_000;

/**
 * Builds a pipeline from its spec. Nothing is opened before `start`.
 * @throws GatewayError when the spec names a plugin or a sink that does not exist, or an instance cannot be made
 */
export function createPipeline(options: PipelineOptions): Pipeline {
  return new RunningPipeline(options);
}

class RunningPipeline implements Pipeline {
  readonly name: string;
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #instances: Instances;
  readonly #meter: PipelineMeter;
  readonly #counters: PipelineCounters;
  readonly #flow: Flow;
  readonly #callOff = new AbortController();
  readonly #ended = new AbortController();
  #starting: Promise<void> | undefined;
  #draining: Promise<DrainReport> | undefined;
  #release: (() => void)[] = [];

  constructor(private readonly options: PipelineOptions) {
    const { spec, metrics, now = Date.now } = options;
    this.name = spec.name;
    this.#now = now;
    this.#logger = options.logger.child({ component: `pipeline/${spec.name}` });
    this.#instances = createInstances(options);
    this.#meter = new PipelineMeter(metrics, spec.name);
    this.#counters = new PipelineCounters(this.#meter);
    this.#flow = new Flow({
      pipeline: options,
      instances: this.#instances,
      counters: this.#counters,
      meter: this.#meter,
      logger: this.#logger,
      now,
    });
  }

  start(signal: AbortSignal): Promise<void> {
    if (this.#starting !== undefined || this.#draining !== undefined) {
      const message = `The pipeline ${this.name} was started or stopped before; a stopped one is not started again.`;
      return Promise.reject(new GatewayError('PIPELINE_STARTED_TWICE', message));
    }
    this.#starting = this.#start(AbortSignal.any([signal, this.#callOff.signal]));
    return this.#starting;
  }

  drain(deadline: number): Promise<DrainReport> {
    this.#draining ??= this.#drain(deadline);
    return this.#draining;
  }

  adopt(directories: readonly string[]): void {
    this.#flow.adopt(directories);
  }

  replay(items: readonly ReplayItem[]): Promise<readonly ReplayOutcome[]> {
    const { source, steps, sinks, deadLetters } = this.#instances;
    const { eventTypes } = deadLetters.context;
    return replay({ source: source.plugin, steps, sinks, eventTypes }, items, this.#ended.signal);
  }

  status(): PipelineStatus {
    return {
      name: this.name,
      instances: this.#all().map(({ board }): InstanceStatus => board.status()),
      counts: this.#counters.snapshot(),
      queue: this.#flow.queueStats(),
      backPressure: this.#flow.backPressure,
    };
  }

  async #start(signal: AbortSignal): Promise<void> {
    const startables = this.#startables();
    try {
      await this.#flow.open(signal);
    } catch (error) {
      await this.#end();
      throw error;
    }
    this.#flow.start();
    this.#release.push(this.options.settings.subscribe(() => this.#flow.applySettings()));
    const gauges = setInterval(() => this.#setGauges(), GAUGE_INTERVAL_MS).unref();
    this.#release.push(() => clearInterval(gauges));
    try {
      await startAll(startables, signal);
    } catch (error) {
      const begun = startables.map(({ instance }) => instance).filter(({ board }) => board.begun);
      await stopAll(begun.reverse(), this.#now() + CLEAN_UP_MS, this.#now, this.#logger);
      await this.#end();
      throw error;
    }
  }

  /** Sinks first, so that whatever comes has somewhere to go. */
  #startables(): Startable[] {
    const { source, steps, sinks } = this.#instances;
    return [
      ...[...sinks, ...steps].map((instance) => ({
        instance,
        start: (signal: AbortSignal) => instance.plugin.start?.(signal),
      })),
      { instance: source, start: (signal) => source.plugin.start(signal, this.#flow.emit, this.#flow.marks) },
    ];
  }

  async #drain(deadline: number): Promise<DrainReport> {
    const before = this.#counters.written;
    this.#callOff.abort(); // Ends a start that is under way; afterwards it does nothing.
    const started = await this.#starting?.then(
      () => true,
      () => false,
    );
    const { source, steps, sinks } = this.#instances;
    if (started !== true) {
      await this.#end();
      return { pipeline: this.name, written: 0, left: 0 };
    }
    // The source has half the time, as what it brings has to be written too.
    const now = this.#now();
    this.#flow.flushImmediately();
    await stopAll([source], Math.min(deadline, now + (deadline - now) / 2), this.#now, this.#logger);
    const ending = await this.#writeOut(deadline);
    const waiting = this.#flow.waitingEvents;
    if (ending === 'stalled') this.#logger.warn({ waiting }, 'Sinks write nothing; events stay in the spool');
    const lost = await this.#end();
    const kept = this.#counters.inFlight;
    if (lost > 0) this.#logger.error({ left: lost }, 'Stop deadline reached; open events dropped');
    if (kept > 0) this.#logger.info({ kept }, 'Stop deadline reached; open events stay in the spool');
    const stopBy = ending === 'stalled' ? Math.min(deadline, this.#now() + STALLED_STOP_MS) : deadline;
    await stopAll([...steps, ...sinks], stopBy, this.#now, this.#logger);
    const report = { pipeline: this.name, written: this.#counters.written - before, left: lost + kept };
    return { ...report, ...(kept > 0 && { kept }), ...(waiting > 0 && { waiting }) };
  }

  #writeOut(deadline: number): ReturnType<typeof writeOut> {
    return writeOut({
      finished: this.#flow.drain(),
      durable: () => this.#flow.durable,
      waiting: () => this.#flow.queueStats().rows,
      deadline,
      now: this.#now,
    });
  }

  /** Gives up what is not safe, and lets go of timers and subscriptions. Returns how many events were given up. */
  async #end(): Promise<number> {
    this.#ended.abort();
    const left = await this.#flow.close();
    for (const release of this.#release) release();
    this.#release = [];
    this.#setGauges();
    for (const { board } of this.#all()) if (!board.begun) board.enter('stopped');
    return left;
  }

  #setGauges(): void {
    this.#meter.gauges({
      inFlight: this.#counters.inFlight,
      bufferBytes: this.#flow.bufferBytes,
      backPressure: this.#flow.backPressure,
      queue: this.#flow.queueStats(),
    });
  }

  #all(): Pick<Instances['source'], 'board'>[] {
    const { source, steps, sinks } = this.#instances;
    const { spoolBoard } = this.#flow;
    return [source, ...steps, ...sinks, ...(spoolBoard === undefined ? [] : [{ board: spoolBoard }])];
  }
}
