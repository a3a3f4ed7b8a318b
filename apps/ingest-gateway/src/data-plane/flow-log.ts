import type { Logger } from '@activity-gateway/pipeline/api';
import type { ClickHouseStatus } from '../clickhouse/types.js';
import type { ListenerStatus } from '../listener/types.js';
import { OutageWatch } from './outage-watch.js';
import { pipelineFlows, type PipelineFlow } from './pipeline-flow.js';

/** What the log of the flow is made from. */
export interface FlowLogDependencies {
  readonly listener: () => ListenerStatus;
  readonly clickhouse: () => ClickHouseStatus;
  /** `activitymonitor_batch_interval_seconds` in ms. */
  readonly batchIntervalMs: () => number;
  readonly logger: Logger;
  /** Any clock that does not jump, ms; `performance.now` by default. */
  readonly now?: () => number;
}

const LOOK_EVERY_MS = 5_000;
const FIGURES_EVERY_MS = 60_000;
/** The sink that writes to the ClickHouse whose state this process knows. */
const CLICKHOUSE_SINK = 'sinks.clickhouse';

/** Says in the log how events flow: figures once a minute while they do, and outages. */
export class FlowLog {
  readonly #outages = new Map<string, OutageWatch>();
  readonly #before = new Map<string, PipelineFlow>();
  readonly #now: () => number;
  #figuresAt: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly dependencies: FlowLogDependencies) {
    this.#now = dependencies.now ?? (() => performance.now());
    this.#figuresAt = this.#now();
  }

  /** Called by Nest when everything is put together. */
  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
  }

  /** Called by Nest at the end. */
  onModuleDestroy(): void {
    clearInterval(this.#timer);
  }

  /** Looks now. */
  look(): void {
    const now = this.#now();
    const flows = pipelineFlows(this.dependencies.listener());
    const down = this.#clickhouseDown();
    for (const flow of flows) {
      const watch = this.#outages.get(flow.pipeline) ?? new OutageWatch(this.dependencies.logger);
      this.#outages.set(flow.pipeline, watch);
      watch.look({
        flow,
        now,
        usualWaitMs: this.dependencies.batchIntervalMs(),
        ...(down !== undefined && flow.plugins.has(CLICKHOUSE_SINK) && { down }),
      });
    }
    if (now - this.#figuresAt < FIGURES_EVERY_MS) return;
    const seconds = Math.round((now - this.#figuresAt) / 1_000);
    this.#figuresAt = now;
    for (const flow of flows) this.#figures(flow, seconds);
  }

  /** A minute without events says nothing. Counts fall when a reactor dies: what it had counted is gone. */
  #figures(flow: PipelineFlow, seconds: number): void {
    const before = this.#before.get(flow.pipeline);
    this.#before.set(flow.pipeline, flow);
    const since = (key: 'received' | 'stored' | 'rejected' | 'filtered' | 'dropped' | 'written'): number =>
      Math.max(0, flow[key] - (before?.[key] ?? 0));
    if (since('received') === 0 && since('written') === 0) return;
    const figures = {
      pipeline: flow.pipeline,
      seconds,
      received: since('received'),
      stored: since('stored'),
      rejected: since('rejected'),
      filtered: since('filtered'),
      dropped: since('dropped'),
      queueDepth: flow.rows,
      queueBytes: flow.bytes,
      oldestSeconds: Math.round(flow.oldestMs / 1_000),
    };
    this.dependencies.logger.info(figures, 'Events since the last figures');
  }

  /** A retention that waits for its confirmation makes it `degraded` too, and stops nothing. */
  #clickhouseDown(): string | undefined {
    const { state, reason, retention } = this.dependencies.clickhouse();
    const down = state === 'failed' || (state === 'degraded' && retention === undefined);
    return down ? (reason ?? `ClickHouse is ${state}.`) : undefined;
  }
}
