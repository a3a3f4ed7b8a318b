import type { Effect, DrainReport, ReplayItem, ReplayOutcome } from '@activity-gateway/pipeline/host';
import type { AuditService } from '../audit/index.js';
import { GatewayError, type Endpoint, type LiveValue, type Logger } from '@activity-gateway/pipeline/api';
import { SerialQueue, type AgentsService } from '../agents/index.js';
import type { EnrollmentService } from '../enrollment/index.js';
import type { KeyChange } from '../listener/key-change.js';
import type { AcceptorSettings, DataPlane, DataPlaneOptions, ListenerStatus } from '../listener/types.js';
import type { AddressMemory } from './address-memory.js';
import {
  reactorCount,
  toAcceptorSettings,
  toReactorSettings,
  type SettingsService,
  type SettingsSnapshot,
} from '../settings/index.js';

/** What never changes while the gateway runs. */
export type StaticDataPlaneOptions = Pick<
  DataPlaneOptions,
  | 'metrics'
  | 'gatewayId'
  | 'plugins'
  | 'pipelines'
  | 'log'
  | 'host'
  | 'dataDir'
  | 'tls'
  | 'maxConnectionsPerKey'
  | 'neverBan'
>;

/** What the host is made from. */
export interface DataPlaneHostOptions {
  readonly create: (options: DataPlaneOptions) => DataPlane;
  readonly facts: StaticDataPlaneOptions;
  readonly settings: SettingsService;
  readonly agents: AgentsService;
  readonly enrollment: EnrollmentService;
  readonly clickhouse: LiveValue<Endpoint | undefined>;
  /** SPKI hash of the key that agents know this server by, kept over restarts. */
  readonly serverKey: {
    /** `undefined` before the first start. */
    read(): Promise<string | undefined>;
    write(spkiHash: string): Promise<void>;
  };
  /** Remembers from where agents came. */
  readonly addresses: Pick<AddressMemory, 'follow' | 'stop'>;
  /** A number never given before, from 1; durable when it resolves. */
  readonly nextEpoch: () => Promise<number>;
  readonly audit: Pick<AuditService, 'record'>;
  /** Why `start` has not been called yet; `undefined` when nothing is waited for. */
  readonly waitingFor?: () => string | undefined;
  readonly logger: Logger;
}

/** Epochs are padded so that they sort as text for as long as a gateway may live. */
const EPOCH_DIGITS = 10;

/**
 * Holds the data plane, pauses it while ingestion is switched off, and passes on every change of settings, allowlist
 * and endpoints.
 */
export class DataPlaneHost {
  #current: DataPlane | undefined;
  #applied: SettingsSnapshot;
  #stopped = false;
  #refusedPort: ListenerStatus['refusedPort'];
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
    if (this.#stopped) return;
    const { settings, agents, clickhouse, logger } = this.options;
    this.#applied = settings.snapshot.current;
    this.#subscriptions.push(
      agents.allowlist.subscribe((entries) => this.#current?.updateAllowlist(entries)),
      clickhouse.subscribe(() => this.#current?.updateEndpoints(this.#endpoints())),
      settings.snapshot.subscribe((snapshot) => void this.#changes.run(() => this.#apply(snapshot))),
      settings.guard((next) => this.#changes.run(() => this.#movePort(next))),
    );
    if (!this.enabled) logger.warn({ reason: OFF_REASON }, 'Failed to start NAM Listener');
    await this.#changes.run(() => this.#startPlane());
  }

  /** Resolves when every change so far has acted. */
  idle(): Promise<void> {
    return this.#changes.idle();
  }

  /** Ends the ban of an address; whether there was one. */
  liftBan(ip: string): boolean {
    return this.#current?.liftBan(ip) ?? false;
  }

  /**
   * Accepts another key of the server, which new connections then get.
   * @throws GatewayError `CERTIFICATE_UNCHANGED` when no other key waits for it
   */
  async confirmServerKey(): Promise<KeyChange> {
    if (this.#current !== undefined) return this.#current.confirmServerKey();
    throw new GatewayError(
      'LISTENER_NOT_READY',
      'The listener has no server certificate yet.',
      'GET /api/v1/nam-listener/status says more.',
    );
  }

  /** State of the listener and its reactors. */
  status(): ListenerStatus {
    const status = this.#current?.status() ?? this.#offStatus();
    return {
      ...status,
      ...(!this.enabled && { reason: OFF_REASON }),
      ...(this.#refusedPort && { refusedPort: this.#refusedPort }),
    };
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
    await this.options.addresses.stop();
    return reports;
  }

  async #apply(snapshot: SettingsSnapshot): Promise<void> {
    const plane = this.#current;
    if (this.#stopped || plane === undefined) return;
    const before = this.#applied;
    this.#applied = snapshot;
    const acceptor = toAcceptorSettings(snapshot);
    plane.updateReactorSettings(toReactorSettings(snapshot));
    if (reactorCount(snapshot) !== reactorCount(before)) plane.resizeReactors(reactorCount(snapshot));
    if (JSON.stringify(acceptor) !== JSON.stringify(toAcceptorSettings(before))) {
      // A change over this gateway's own API has moved the port already; one of another replica has not.
      await this.#updateAcceptor(plane, acceptor).catch(() => undefined);
    }
    await this.#switch(plane, before, snapshot);
  }

  async #switch(plane: DataPlane, before: SettingsSnapshot, now: SettingsSnapshot): Promise<void> {
    const on = now.enable_activitymonitor_ingestion;
    if (on === before.enable_activitymonitor_ingestion) return;
    if (on) return plane.resume();
    plane.pause();
    this.options.logger.warn({}, 'Listener stopped; enable_activitymonitor_ingestion is false');
  }

  /**
   * Binds the port of settings that are about to be stored.
   * @returns what goes back to the port before
   * @throws GatewayError `LISTENER_BIND_FAILED`
   */
  async #movePort(next: SettingsSnapshot): Promise<(() => Promise<void>) | undefined> {
    const plane = this.#current;
    const before = toAcceptorSettings(this.#applied);
    const port = next.activitymonitor_tcp_port;
    if (this.#stopped || plane === undefined || port === before.port) return undefined;
    await this.#updateAcceptor(plane, { ...before, port });
    return () => this.#changes.run(() => this.#updateAcceptor(plane, before));
  }

  async #updateAcceptor(plane: DataPlane, settings: AcceptorSettings): Promise<void> {
    try {
      await plane.updateAcceptor(settings);
      this.#refusedPort = undefined;
    } catch (error) {
      const reason = error instanceof GatewayError ? error.message : String(error);
      this.#refusedPort = { port: settings.port, reason, at: Date.now() };
      this.options.logger.error({ err: error }, 'Failed to bind new port; keeping the current port');
      throw error;
    }
  }

  async #startPlane(): Promise<void> {
    if (this.#stopped) return;
    const { create, addresses } = this.options;
    const plane = create(this.#planeOptions());
    this.#current = plane;
    this.#applied = this.options.settings.snapshot.current;
    await addresses.follow(plane);
    await plane.start(this.enabled);
  }

  #planeOptions(): DataPlaneOptions {
    const { facts, settings, agents, enrollment, serverKey, nextEpoch, logger } = this.options;
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
        agentsSeen: (hashes, at, reports) => agents.seen(hashes, at, reports),
        knownServerKey: () => serverKey.read(),
        rememberServerKey: (spkiHash) => serverKey.write(spkiHash),
        penalized: (address, effect, reason) => void this.#recordPenalty(address, effect, reason),
        nextEpoch: async () => String(await nextEpoch()).padStart(EPOCH_DIGITS, '0'),
      },
    };
  }

  /** The listener logs bans itself; peers that cause them have proved nothing but their address. */
  #recordPenalty(address: string, effect: Effect, reason: string): Promise<void> {
    const actor = { id: '', name: '', from: address };
    return this.options.audit.record({
      kind: 'ban',
      action: 'ban.set',
      target: address,
      actor,
      outcome: reason,
      after: { effect },
    });
  }

  #endpoints(): Readonly<Record<string, Endpoint>> {
    const clickhouse = this.options.clickhouse.current;
    return clickhouse === undefined ? {} : { clickhouse };
  }

  #offStatus(): ListenerStatus {
    const snapshot = this.options.settings.snapshot.current;
    const reason = this.enabled ? this.options.waitingFor?.() : OFF_REASON;
    return {
      state: this.enabled && !this.#stopped ? 'starting' : 'stopped',
      ...(reason === undefined ? {} : { reason }),
      host: this.options.facts.host,
      port: 0,
      connections: 0,
      unidentifiedConnections: 0,
      maxConnections: snapshot.activitymonitor_max_connections,
      rejected: { banned: 0, rate: 0, slowed: 0, limit: 0, unidentified: 0 },
      limitsReached: [],
      bans: [],
      reactors: [],
    };
  }
}

const OFF_REASON = 'enable_activitymonitor_ingestion is false';
