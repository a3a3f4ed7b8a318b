import type { DrainReport, ReplayItem, ReplayOutcome } from '@app/pipeline';
import type { Endpoint, LiveValue, Logger } from '@app/pipeline/api';
import { SerialQueue, type AgentsService } from '../agents/index.js';
import type { EnrollmentService } from '../enrollment/index.js';
import type { DataPlane, DataPlaneOptions, ListenerStatus } from '../listener/types.js';
import {
  drainTimeoutMs,
  reactorCount,
  toAcceptorSettings,
  toReactorSettings,
  type SettingsService,
  type SettingsSnapshot,
} from '../settings/index.js';

/** What never changes while the gateway runs. */
export type DataPlaneFacts = Pick<
  DataPlaneOptions,
  'metrics' | 'gatewayId' | 'pipelines' | 'log' | 'host' | 'dataDir' | 'tls'
>;

/** What the host is made from. */
export interface DataPlaneHostOptions {
  readonly create: (options: DataPlaneOptions) => DataPlane;
  readonly facts: DataPlaneFacts;
  readonly settings: SettingsService;
  readonly agents: AgentsService;
  readonly enrollment: EnrollmentService;
  readonly clickhouse: LiveValue<Endpoint | undefined>;
  /** A number never given before, from 1; durable when it resolves. */
  readonly nextEpoch: () => Promise<number>;
  readonly logger: Logger;
}

/** Epochs are padded so that they sort as text for as long as a gateway may live. */
const EPOCH_DIGITS = 10;

/**
 * Holds the data plane while ingestion is switched on, and none while it is off, and passes on every change of
 * settings, allowlist and endpoints.
 */
export class DataPlaneHost {
  #current: DataPlane | undefined;
  #applied: SettingsSnapshot;
  #stopped = false;
  readonly #changes = new SerialQueue();
  readonly #subscriptions: (() => void)[] = [];

  constructor(private readonly options: DataPlaneHostOptions) {
    this.#applied = options.settings.snapshot.current;
  }

  /** Whether `enable_activitymonitor_ingestion` is on. */
  get enabled(): boolean {
    return this.options.settings.snapshot.current.enable_activitymonitor_ingestion;
  }

  /** Starts serving agents, if that is switched on. Does not reject: what fails is in `status()`. */
  async start(): Promise<void> {
    const { settings, agents, clickhouse, logger } = this.options;
    this.#subscriptions.push(
      agents.allowlist.subscribe((entries) => this.#current?.updateAllowlist(entries)),
      clickhouse.subscribe(() => this.#current?.updateEndpoints(this.#endpoints())),
      settings.snapshot.subscribe((snapshot) => void this.#changes.run(() => this.#apply(snapshot))),
    );
    if (this.enabled) await this.#changes.run(() => this.#startPlane());
    else logger.warn({}, `No agent is served: ${OFF_REASON}.`);
  }

  /** State of the listener and its reactors. */
  status(): ListenerStatus {
    return this.#current?.status() ?? this.#offStatus();
  }

  /** Open connections by SPKI hash of allowlisted agents. */
  connectedAgents(): ReadonlyMap<string, number> {
    return this.#current?.connectedAgents() ?? new Map();
  }

  /** prom-client's `getMetricsAsJSON` of each reactor that answers within a second. */
  async collectMetrics(): Promise<(readonly object[])[]> {
    return (await this.#current?.collectMetrics()) ?? [];
  }

  /** As `DataPlane.replay`; `undefined` too while ingestion is off. */
  async replay(
    pipeline: string,
    items: readonly ReplayItem[],
  ): Promise<readonly ReplayOutcome[] | undefined> {
    return this.#current?.replay(pipeline, items);
  }

  /** Stops accepting and drains until the deadline (ms since 1970-01-01 UTC). Safe twice and without `start`. */
  async stop(deadline: number): Promise<readonly DrainReport[]> {
    this.#stopped = true;
    for (const unsubscribe of this.#subscriptions.splice(0)) unsubscribe();
    const reports = (await this.#current?.stop(deadline)) ?? [];
    await this.#changes.idle();
    return reports;
  }

  async #apply(snapshot: SettingsSnapshot): Promise<void> {
    if (this.#stopped) return;
    const before = this.#applied;
    this.#applied = snapshot;
    if (!snapshot.enable_activitymonitor_ingestion) return this.#stopPlane(drainTimeoutMs(snapshot));
    if (this.#current === undefined) return this.#startPlane();
    this.#current.updateReactorSettings(toReactorSettings(snapshot));
    const acceptor = toAcceptorSettings(snapshot);
    if (JSON.stringify(acceptor) === JSON.stringify(toAcceptorSettings(before))) return;
    try {
      await this.#current.updateAcceptor(acceptor);
    } catch (error) {
      this.options.logger.error({ err: error }, 'The listener keeps its old port.');
    }
  }

  async #startPlane(): Promise<void> {
    if (this.#stopped) return;
    const plane = this.options.create(this.#planeOptions());
    this.#current = plane;
    await plane.start();
  }

  async #stopPlane(timeoutMs: number): Promise<void> {
    const plane = this.#current;
    if (plane === undefined) return;
    const { logger } = this.options;
    logger.warn({}, `The listener stops: ${OFF_REASON}.`);
    const reports = await plane.stop(Date.now() + timeoutMs);
    this.#current = undefined;
    logger.info({ reports }, 'Ingestion is off.');
  }

  #planeOptions(): DataPlaneOptions {
    const { facts, settings, agents, enrollment, nextEpoch, logger } = this.options;
    const snapshot = settings.snapshot.current;
    return {
      ...facts,
      logger: logger.child({ component: 'listener' }),
      acceptor: toAcceptorSettings(snapshot),
      reactor: toReactorSettings(snapshot),
      reactors: reactorCount(snapshot),
      allowlist: agents.allowlist.current,
      endpoints: this.#endpoints(),
      handlers: {
        enroll: (request) => enrollment.enroll(request),
        agentsSeen: (hashes, at) => agents.seen(hashes, at),
        nextEpoch: async () => String(await nextEpoch()).padStart(EPOCH_DIGITS, '0'),
      },
    };
  }

  #endpoints(): Readonly<Record<string, Endpoint>> {
    const clickhouse = this.options.clickhouse.current;
    return clickhouse === undefined ? {} : { clickhouse };
  }

  #offStatus(): ListenerStatus {
    const snapshot = this.options.settings.snapshot.current;
    return {
      state: this.enabled && !this.#stopped ? 'starting' : 'stopped',
      ...(this.enabled ? {} : { reason: OFF_REASON }),
      host: this.options.facts.host,
      port: 0,
      connections: 0,
      maxConnections: snapshot.activitymonitor_max_connections,
      rejected: { banned: 0, limit: 0 },
      bans: [],
      reactors: [],
    };
  }
}

const OFF_REASON = 'enable_activitymonitor_ingestion is false';
