import { resolve } from 'node:path';
import {
  type DrainReport,
  type ReplayItem,
  type ReplayOutcome,
  Admission,
  type AdmissionLimits,
  type KnownAddress,
} from '@activity-gateway/pipeline/host';
import type { Endpoint } from '@activity-gateway/pipeline/api';
import type { AllowlistEntry, EnrollmentOutcome, EnrollmentRequest } from '@activity-gateway/activity';
import type { ReactorSettings } from '../reactor/messages.js';
import { Acceptor } from './acceptor.js';
import { FileWatch } from './file-watch.js';
import type { KeyChange } from './key-change.js';
import { ListenerControl } from './listener-control.js';
import { ReactorLauncher } from './reactor-launcher.js';
import { ReactorPool, type ReactorSnapshots } from './reactor-pool.js';
import { ServerIdentity } from './server-identity.js';
import { certificatePaths, loadTlsIdentity, reloadTlsIdentity } from './tls-identity.js';
import type { WatchdogLimits } from './watchdog.js';
import type {
  AcceptorSettings,
  DataPlane,
  DataPlaneHandlers,
  DataPlaneOptions,
  ListenerStatus,
} from './types.js';

/** How long the listener waits for a reactor before it listens anyway, ms. */
const REACTOR_WAIT_MS = 5_000;
/** How long readiness tells of a limit at which agents were turned away, ms. */
const RECENT_MS = 60_000;

/** How reactor processes are run. */
export interface ProcessOptions {
  /** What starts them. */
  readonly forks?: ReactorLauncher;
  readonly watchdog?: WatchdogLimits;
}

/** Makes the data plane: listener and reactors. Nothing happens before `start`. */
export function createDataPlane(options: DataPlaneOptions, processes: ProcessOptions = {}): DataPlane {
  return new ProcessDataPlane(options, processes);
}

class ProcessDataPlane implements DataPlane {
  readonly #admission: Admission;
  readonly #acceptor: Acceptor;
  readonly #reactors: ReactorPool;
  readonly #identity: ServerIdentity;
  readonly #listener: ListenerControl;
  #stopping: Promise<readonly DrainReport[]> | undefined;

  constructor(options: DataPlaneOptions, { forks, watchdog }: ProcessOptions) {
    const { logger, metrics, handlers, host, reactors, tls, dataDir } = options;
    const listenerLogger = logger.child({ component: 'listener' });
    this.#admission = new Admission({
      limits: limitsOf(options.acceptor),
      ...(options.maxConnectionsPerKey !== undefined && { maxPerKey: options.maxConnectionsPerKey }),
      ...(options.neverBan && { neverBan: options.neverBan }),
      logger: listenerLogger,
      metrics,
      penalized: (address, effect, reason) => handlers.penalized?.(address, effect, reason),
      cut: (id) => this.#reactors.cut(id),
      end: (id, reason) => this.#reactors.end(id, reason),
      silences: (ids) => this.#reactors.silences(ids),
    });
    this.#acceptor = new Acceptor({
      logger: listenerLogger,
      admission: this.#admission,
      host,
      port: options.acceptor.port,
      onConnection: (connection) =>
        this.#reactors.dispatch({
          ...connection,
          known: this.#admission.isKnown(connection.remoteAddress),
        }),
    });
    this.#reactors = new ReactorPool({
      forks: forks ?? new ReactorLauncher(dataDir),
      ...(watchdog && { watchdog }),
      logger: logger.child({ component: 'reactors' }),
      handlers: { ...handlers, enroll: (request) => this.#enroll(request, handlers) },
      reactors,
      spoolDirectory: resolve(dataDir, 'spool'),
      snapshots: initialSnapshots(options),
      connectionIdentified: (id, key) => this.#admission.identified(id, key),
      connectionViolated: (id, reason) => this.#admission.violation(id, reason),
      connectionClosed: (id) => this.#admission.released(id),
    });
    const tlsOptions = { ...tls, dataDir, logger: listenerLogger };
    this.#identity = new ServerIdentity({
      logger: listenerLogger,
      load: () => loadTlsIdentity(tlsOptions),
      reload: () => reloadTlsIdentity(tlsOptions),
      use: (identity) =>
        this.#reactors.replace({ tlsIdentity: identity }, { type: 'tls-identity', identity }),
      knownKey: () => handlers.knownServerKey(),
      rememberKey: (spkiHash) => handlers.rememberServerKey(spkiHash),
      watch: (changed) => new FileWatch(certificatePaths(tlsOptions), changed),
      filesChanged: () => this.#listener.retryNow(),
    });
    this.#listener = new ListenerControl({
      logger: listenerLogger,
      acceptor: this.#acceptor,
      identity: this.#identity,
      untilServed: () => this.#reactors.untilReady(REACTOR_WAIT_MS),
    });
  }

  async start(listen = true): Promise<void> {
    this.#reactors.start();
    if (listen) await this.#listener.start();
  }

  pause(): void {
    this.#listener.stop();
    this.#reactors.closeConnections();
  }

  async resume(): Promise<void> {
    if (this.#stopping === undefined) await this.#listener.start();
  }

  confirmServerKey(): Promise<KeyChange> {
    return this.#identity.confirmKey();
  }

  liftBan(ip: string): boolean {
    return this.#admission.lift(ip);
  }

  updateAcceptor(settings: AcceptorSettings): Promise<void> {
    this.#admission.setLimits(limitsOf(settings));
    return this.#listener.update(settings.port);
  }

  updateReactorSettings(settings: ReactorSettings): void {
    this.#reactors.replaceSettings(settings);
  }

  resizeReactors(count: number): void {
    this.#reactors.resize(count);
  }

  updateAllowlist(entries: readonly AllowlistEntry[]): void {
    this.#reactors.replace({ allowlist: entries }, { type: 'allowlist', entries });
  }

  updateEndpoints(endpoints: Readonly<Record<string, Endpoint>>): void {
    this.#reactors.replace({ endpoints }, { type: 'endpoints', endpoints });
  }

  status(): ListenerStatus {
    const { host, port } = this.#acceptor;
    const { identifiedConnections, unidentifiedConnections, limits, refused } = this.#admission;
    return {
      ...this.#listener.status(),
      host,
      port,
      connections: identifiedConnections,
      unidentifiedConnections,
      maxConnections: limits.maxConnections,
      rejected: refused,
      limitsReached: this.#admission.reachedWithin(RECENT_MS),
      bans: this.#admission.penalties(),
      reactors: this.#reactors.views(),
      lobby: this.#reactors.lobbyView(),
      ended: this.#reactors.endedPipelines(),
    };
  }

  knownAddresses(): KnownAddress[] {
    return this.#admission.known.entries();
  }

  learnAddresses(addresses: readonly KnownAddress[]): void {
    this.#admission.known.restore(addresses);
  }

  connectedAgents(): ReadonlyMap<string, number> {
    return this.#reactors.connectedAgents();
  }

  replay(pipeline: string, items: readonly ReplayItem[]): Promise<readonly ReplayOutcome[] | undefined> {
    return this.#reactors.replay({ pipeline, items });
  }

  collectMetrics(): Promise<(readonly object[])[]> {
    return this.#reactors.collectMetrics();
  }

  stop(deadline: number): Promise<readonly DrainReport[]> {
    this.#stopping ??= this.#stop(deadline);
    return this.#stopping;
  }

  /** An agent that has enrolled comes back at once, as the agent that it is now. */
  async #enroll(request: EnrollmentRequest, handlers: DataPlaneHandlers): Promise<EnrollmentOutcome> {
    const outcome = await handlers.enroll(request);
    if (outcome.status === 'Enrolled') this.#admission.known.seen(request.sourceIp);
    return outcome;
  }

  async #stop(deadline: number): Promise<readonly DrainReport[]> {
    this.#listener.stop();
    this.#admission.close();
    return this.#reactors.stop(deadline);
  }
}

function limitsOf({ maxConnections, banDurationMs, unidentifiedMs }: AcceptorSettings): AdmissionLimits {
  return { maxConnections, penaltyMs: banDurationMs, unidentifiedMs };
}

function initialSnapshots(options: DataPlaneOptions): ReactorSnapshots {
  return {
    gatewayId: options.gatewayId,
    plugins: options.plugins,
    pipelines: options.pipelines,
    settings: options.reactor,
    allowlist: options.allowlist,
    tlsIdentity: null,
    endpoints: options.endpoints,
    log: options.log,
  };
}
