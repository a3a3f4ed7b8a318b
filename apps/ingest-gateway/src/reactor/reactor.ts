import type { Socket } from 'node:net';
import { constants as osConstants, setPriority } from 'node:os';
import { Registry } from 'prom-client';
import {
  type DrainReport,
  type Pipeline,
  type PipelineOptions,
  type PipelineStatus,
  type WritePermits,
  type ReplayOutcome,
  createMetrics,
  type PluginRegistry,
  withPackages,
} from '@activity-gateway/pipeline/host';
import { GatewayError, type Logger } from '@activity-gateway/pipeline/api';
import { sleep } from '@activity-gateway/pipeline/helpers';
import { Channel } from './channel.js';
import type {
  ReactorChannel,
  ReactorConfiguration,
  ReplayRequest,
  SpoolAssignment,
  ToReactor,
} from './messages.js';
import type { Port } from './port.js';
import { ReactorServices } from './reactor-services.js';
import { adoptedBy, spoolPlace } from './spool-place.js';

/** What a reactor is made from. */
export interface ReactorDependencies {
  readonly port: Port;
  /** Plugins of the program. */
  readonly registry: PluginRegistry;
  createPipeline(options: PipelineOptions): Pipeline;
  createLogger(log: ReactorConfiguration['log']): Logger;
  /** Ends the process; called once, after everything that was said has left. */
  exit(code: number): void;
}

const STATUS_EVERY_MS = 1_000;
/** What an orphaned reactor has to write out what it holds, ms. */
const ORPHAN_DRAIN_MS = 5_000;
/** The same where spools hold it: the next gateway waits for them. */
const ORPHAN_SPOOL_MS = 500;
/** What a reactor that could not start has to stop what had started, ms. */
const FAILED_DRAIN_MS = 1_000;

/** A part of the data plane: runs the pipelines over snapshots and sockets from the control plane. */
export class Reactor {
  readonly #metrics = new Registry();
  readonly #abort = new AbortController();
  #services: ReactorServices | undefined;
  #pipelines: Pipeline[] = [];
  #logger: Logger | undefined;
  #spool: SpoolAssignment | undefined;
  #timer: NodeJS.Timeout | undefined;
  #draining: Promise<readonly DrainReport[]> | undefined;
  #drained = false;
  #exited = false;

  readonly #channel: ReactorChannel;
  /** How many writes there are at a time is bounded over all reactors. Without a control plane they go without a permit. */
  readonly #permits: WritePermits = {
    run: async (pool, work) => {
      const granted = (await this.#channel.request('write-permit', pool)) !== undefined;
      try {
        return await work();
      } finally {
        if (granted) this.#channel.notify({ type: 'write-permit-done', pool });
      }
    },
  };

  constructor(private readonly dependencies: ReactorDependencies) {
    this.#channel = new Channel((message) => dependencies.port.send(message), {
      silences: (ids, answer) => {
        if (this.#services !== undefined) answer(this.#services.connections.silences(ids));
      },
      metrics: (_, answer) => void this.#metrics.getMetricsAsJSON().then(answer),
      replay: (request, answer) => void this.#replay(request).then(answer),
      'release-stream': (stream, answer) => void this.#services?.streamClaims.release(stream).then(answer),
    });
  }

  /** Says hello and waits for the control plane. */
  start(): void {
    const { port } = this.dependencies;
    port.onMessage((message, socket) => this.#receive(message, socket));
    port.onLost(() => void this.#orphaned());
    this.#channel.notify({ type: 'hello' });
  }

  #receive(message: ToReactor, socket: Socket | undefined): void {
    switch (message.type) {
      case 'request':
      case 'answer':
        return this.#channel.receive(message);
      case 'configure':
        return void this.#configure(message.configuration);
      case 'connection':
        return this.#connection(message, socket);
      case 'cut-connection':
        return this.#services?.connections.cut(message.id);
      case 'end-connection':
        return this.#services?.connections.end(message.id, message.reason);
      case 'close-connections':
        return this.#services?.connections.closeAll();
      case 'adopt-spools':
        return this.#adopt(message.spools);
      case 'drain':
        return void this.#drainAndExit(message.deadline);
      default:
        return this.#services?.replace(message);
    }
  }

  async #configure(configuration: ReactorConfiguration): Promise<void> {
    if (this.#services !== undefined) return;
    this.#spool = configuration.spool;
    this.#services = new ReactorServices(configuration, this.#channel);
    this.#logger = this.dependencies.createLogger(configuration.log);
    if (configuration.lobby) setPriority(osConstants.priority.PRIORITY_BELOW_NORMAL);
    try {
      const registry = await withPackages(this.dependencies.registry, configuration.plugins);
      this.#pipelines = this.#build(configuration, registry, this.#services, this.#logger);
      for (const pipeline of this.#pipelines) await pipeline.start(this.#abort.signal);
      this.#services.streamClaims.opened();
    } catch (error) {
      await this.#failed(error);
      return;
    }
    if (this.#draining !== undefined) return;
    this.#timer = setInterval(() => this.#report(), STATUS_EVERY_MS);
    this.#channel.notify({ type: 'ready' });
    this.#report();
  }

  #build(
    configuration: ReactorConfiguration,
    registry: PluginRegistry,
    services: ReactorServices,
    logger: Logger,
  ): Pipeline[] {
    const { gatewayId, epoch, pipelines, spool } = configuration;
    const metrics = createMetrics(this.#metrics);
    return pipelines.map((spec) =>
      this.dependencies.createPipeline({
        spec,
        registry,
        services,
        settings: services.flowSettings,
        logger: logger.child({ pipeline: spec.name }),
        metrics,
        gatewayId,
        epoch,
        writePermits: this.#permits,
        ...(spool && { spool: spoolPlace(spool, spec, logger) }),
      }),
    );
  }

  #adopt(spools: readonly string[]): void {
    const spool = this.#spool;
    if (spool === undefined) return;
    for (const pipeline of this.#pipelines) pipeline.adopt(adoptedBy(pipeline.name, spool, spools));
  }

  async #failed(error: unknown): Promise<void> {
    this.#logger?.error({ err: error }, 'Failed to start the pipelines');
    const reason = error instanceof Error ? error.message : String(error);
    const hint = error instanceof GatewayError && error.hint !== undefined ? ` ${error.hint}` : '';
    this.#channel.notify({ type: 'failed', reason: `${reason}${hint}` });
    await this.#drain(Date.now() + FAILED_DRAIN_MS);
    await this.#exit(1);
  }

  #connection(message: Extract<ToReactor, { type: 'connection' }>, socket: Socket | undefined): void {
    const { id, remoteAddress, remotePort, acceptedAt, known } = message;
    if (this.#services !== undefined) {
      this.#services.connections.accept({ id, remoteAddress, remotePort, acceptedAt, known }, socket);
      return;
    }
    socket?.on('error', () => undefined).destroy();
    this.#channel.notify({ type: 'connection-closed', id });
  }

  async #replay({ pipeline, items }: ReplayRequest): Promise<readonly ReplayOutcome[]> {
    const found = this.#pipelines.find(({ name }) => name === pipeline);
    const message = 'This gateway runs no pipeline of that name.';
    return (
      (await found?.replay(items)) ??
      items.map(({ id }) => ({ id, outcome: 'refused', code: 'unknown_pipeline', message }))
    );
  }

  #report(): void {
    this.#services?.presence.flush();
    this.#channel.notify({
      type: 'status',
      status: {
        pipelines: this.#pipelines.map((pipeline) => pipeline.status()),
        connections: this.#services?.connections.size ?? 0,
        rssBytes: process.memoryUsage.rss(),
      },
    });
  }

  /** The pipelines keep to the deadline of the first message; a later message can only bring an earlier one. */
  async #drainAndExit(deadline: number): Promise<void> {
    const again = this.#draining !== undefined;
    const before = this.#pipelines.map((pipeline) => pipeline.status());
    const drained = this.#drain(deadline);
    const reports = again ? await this.#untilDeadline(drained, before, deadline) : await drained;
    if (this.#exited || this.#drained) return;
    this.#drained = true;
    this.#report();
    this.#channel.notify({ type: 'final-metrics', metrics: await this.#metrics.getMetricsAsJSON() });
    this.#channel.notify({ type: 'drained', reports });
    await this.#exit(0);
  }

  async #untilDeadline(
    drained: Promise<readonly DrainReport[]>,
    before: readonly PipelineStatus[],
    deadline: number,
  ): Promise<readonly DrainReport[]> {
    const aborted = new AbortController();
    const late = sleep(Math.max(0, deadline - Date.now()), aborted.signal);
    const reports = await Promise.race([drained, late]);
    aborted.abort();
    return reports ?? this.#pipelines.map((pipeline, index) => leftOf(pipeline.status(), before[index]));
  }

  /** The control plane is gone: nobody sends work or reads reports any more. */
  async #orphaned(): Promise<void> {
    if (this.#exited) return;
    this.#channel.close();
    this.#logger?.warn({}, 'Control plane lost; draining');
    const aborted = new AbortController();
    // A drain under way may have a far deadline, which nobody waits for any more.
    const late = sleep(ORPHAN_DRAIN_MS, aborted.signal);
    await Promise.race([this.#drain(Date.now() + this.#orphanDrainMs()), late]);
    aborted.abort();
    await this.#exit(0);
  }

  #orphanDrainMs(): number {
    const statuses = this.#pipelines.map((pipeline) => pipeline.status());
    return statuses.every(({ queue }) => queue.spool !== undefined) ? ORPHAN_SPOOL_MS : ORPHAN_DRAIN_MS;
  }

  #drain(deadline: number): Promise<readonly DrainReport[]> {
    this.#draining ??= this.#drainAll(deadline);
    return this.#draining;
  }

  async #drainAll(deadline: number): Promise<readonly DrainReport[]> {
    const results = await Promise.allSettled(this.#pipelines.map((pipeline) => pipeline.drain(deadline)));
    this.#abort.abort();
    return results.flatMap((result) => {
      if (result.status === 'fulfilled') return [result.value];
      this.#logger?.error({ err: result.reason as unknown }, 'Failed to drain the pipeline');
      return [];
    });
  }

  async #exit(code: number): Promise<void> {
    if (this.#exited) return;
    this.#exited = true;
    clearInterval(this.#timer);
    await this.dependencies.port.flushed();
    this.dependencies.exit(code);
  }
}

/** What a drain that was cut short achieved since the state before. */
function leftOf({ name, counts, queue }: PipelineStatus, before: PipelineStatus | undefined): DrainReport {
  const written = ({ delivered, deadLettered }: PipelineStatus['counts']): number => delivered + deadLettered;
  const started = before === undefined ? 0 : written(before.counts);
  const waiting = queue.spool === undefined ? 0 : queue.rows;
  const report = { pipeline: name, written: written(counts) - started, left: counts.inFlight };
  return waiting > 0 ? { ...report, waiting } : report;
}
