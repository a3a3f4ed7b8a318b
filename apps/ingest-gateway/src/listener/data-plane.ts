import { resolve } from 'node:path';
import type { DrainReport, ReplayItem, ReplayOutcome } from '@app/pipeline';
import type { AllowlistEntry, Endpoint } from '@app/pipeline/api';
import type { ReactorSettings } from '../reactor/messages.js';
import { Acceptor } from './acceptor.js';
import { Bans } from './bans.js';
import { FileWatch } from './file-watch.js';
import type { KeyChange } from './key-change.js';
import { ListenerControl } from './listener-control.js';
import { ReactorForks } from './reactor-forks.js';
import { ReactorSupervisor } from './reactor-supervisor.js';
import { ServerIdentity } from './server-identity.js';
import { certificatePaths, loadTlsIdentity, reloadTlsIdentity } from './tls-identity.js';
import type { WatchdogLimits } from './watchdog.js';
import type { AcceptorSettings, DataPlane, DataPlaneOptions, ListenerStatus } from './types.js';

/** How long the listener waits for a reactor before it listens anyway, ms. */
const REACTOR_WAIT_MS = 5_000;

/** How reactor processes are run. */
export interface ProcessOptions {
  /** What starts them. */
  readonly forks?: ReactorForks;
  readonly watchdog?: WatchdogLimits;
}

/** Makes the data plane: listener and reactors. Nothing happens before `start`. */
export function createDataPlane(options: DataPlaneOptions, processes: ProcessOptions = {}): DataPlane {
  return new ProcessDataPlane(options, processes);
}

class ProcessDataPlane implements DataPlane {
  readonly #bans: Bans;
  readonly #acceptor: Acceptor;
  readonly #supervisor: ReactorSupervisor;
  readonly #identity: ServerIdentity;
  readonly #listener: ListenerControl;
  #stopping: Promise<readonly DrainReport[]> | undefined;

  constructor(options: DataPlaneOptions, { forks, watchdog }: ProcessOptions) {
    const { logger, metrics, handlers, host, reactors, tls, dataDir } = options;
    const listenerLogger = logger.child({ component: 'listener' });
    this.#bans = new Bans(metrics.gauge('gateway_bans_active', 'Source addresses that are banned.'));
    this.#acceptor = new Acceptor({
      logger: listenerLogger,
      metrics,
      bans: this.#bans,
      host,
      settings: options.acceptor,
      onConnection: (connection) => this.#supervisor.dispatch(connection),
      cut: (id) => this.#supervisor.cut(id),
    });
    this.#supervisor = new ReactorSupervisor({
      forks: forks ?? new ReactorForks(dataDir),
      ...(watchdog && { watchdog }),
      logger: logger.child({ component: 'supervisor' }),
      handlers,
      reactors,
      spoolDirectory: resolve(dataDir, 'spool'),
      snapshots: {
        gatewayId: options.gatewayId,
        pipelines: options.pipelines,
        settings: options.reactor,
        allowlist: options.allowlist,
        tlsIdentity: null,
        endpoints: options.endpoints,
        log: options.log,
      },
      connectionIdentified: (id) => this.#acceptor.identified(id),
      connectionClosed: (id) => this.#acceptor.released(id),
      ban: (sourceIp, reason) => this.#acceptor.ban(sourceIp, reason),
    });
    const tlsOptions = { ...tls, dataDir, logger: listenerLogger };
    this.#identity = new ServerIdentity({
      logger: listenerLogger,
      load: () => loadTlsIdentity(tlsOptions),
      reload: () => reloadTlsIdentity(tlsOptions),
      use: (identity) =>
        this.#supervisor.replace({ tlsIdentity: identity }, { type: 'tls-identity', identity }),
      knownKey: () => handlers.knownServerKey(),
      rememberKey: (spkiHash) => handlers.rememberServerKey(spkiHash),
      watch: (changed) => new FileWatch(certificatePaths(tlsOptions), changed),
      filesChanged: () => this.#listener.tryAgain(),
    });
    this.#listener = new ListenerControl({
      logger: listenerLogger,
      acceptor: this.#acceptor,
      identity: this.#identity,
      untilServed: () => this.#supervisor.untilReady(REACTOR_WAIT_MS),
    });
  }

  async start(listen = true): Promise<void> {
    this.#supervisor.start();
    if (listen) await this.#listener.start();
  }

  pause(): void {
    this.#listener.stop();
    this.#supervisor.closeConnections();
  }

  async resume(): Promise<void> {
    if (this.#stopping === undefined) await this.#listener.start();
  }

  confirmServerKey(): Promise<KeyChange> {
    return this.#identity.confirmKey();
  }

  liftBan(ip: string): boolean {
    return this.#bans.lift(ip);
  }

  updateAcceptor(settings: AcceptorSettings): Promise<void> {
    return this.#listener.update(settings);
  }

  updateReactorSettings(settings: ReactorSettings): void {
    this.#supervisor.replaceSettings(settings);
  }

  resizeReactors(count: number): void {
    this.#supervisor.resize(count);
  }

  updateAllowlist(entries: readonly AllowlistEntry[]): void {
    this.#supervisor.replace({ allowlist: entries }, { type: 'allowlist', entries });
  }

  updateEndpoints(endpoints: Readonly<Record<string, Endpoint>>): void {
    this.#supervisor.replace({ endpoints }, { type: 'endpoints', endpoints });
  }

  status(): ListenerStatus {
    const { host, port, connections, settings, rejections } = this.#acceptor;
    return {
      ...this.#listener.status(),
      host,
      port,
      connections,
      maxConnections: settings.maxConnections,
      rejected: rejections,
      bans: this.#bans.list(),
      reactors: this.#supervisor.views(),
      ended: this.#supervisor.endedPipelines(),
    };
  }

  connectedAgents(): ReadonlyMap<string, number> {
    return this.#supervisor.connectedAgents();
  }

  replay(pipeline: string, items: readonly ReplayItem[]): Promise<readonly ReplayOutcome[] | undefined> {
    return this.#supervisor.replay({ pipeline, items });
  }

  collectMetrics(): Promise<(readonly object[])[]> {
    return this.#supervisor.collectMetrics();
  }

  stop(deadline: number): Promise<readonly DrainReport[]> {
    this.#stopping ??= this.#stop(deadline);
    return this.#stopping;
  }

  async #stop(deadline: number): Promise<readonly DrainReport[]> {
    this.#listener.stop();
    return this.#supervisor.stop(deadline);
  }
}
