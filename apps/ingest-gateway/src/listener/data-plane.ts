import { fileURLToPath } from 'node:url';
import type { DrainReport, ReplayItem, ReplayOutcome } from '@app/pipeline';
import type { AllowlistEntry, Endpoint } from '@app/pipeline/api';
import type { ReactorSettings } from '../reactor/messages.js';
import { Acceptor } from './acceptor.js';
import { Bans } from './bans.js';
import { ListenerControl } from './listener-control.js';
import { reactorOpensslOptions } from './reactor-openssl.js';
import { ReactorSupervisor } from './reactor-supervisor.js';
import { loadTlsIdentity } from './tls-identity.js';
import type { AcceptorSettings, DataPlane, DataPlaneOptions, ListenerStatus } from './types.js';

/** How long the listener waits for a reactor before it listens anyway, ms. */
const REACTOR_WAIT_MS = 5_000;
/** The reactor's module, as the build lays it beside this one. */
const REACTOR_ENTRY = fileURLToPath(new URL('../reactor/main.js', import.meta.url));

/**
 * Makes the data plane: listener and reactors. Nothing happens before `start`.
 * @param reactorEntry module that reactor processes run
 */
export function createDataPlane(options: DataPlaneOptions, reactorEntry = REACTOR_ENTRY): DataPlane {
  return new ProcessDataPlane(options, reactorEntry);
}

class ProcessDataPlane implements DataPlane {
  readonly #bans: Bans;
  readonly #acceptor: Acceptor;
  readonly #supervisor: ReactorSupervisor;
  readonly #listener: ListenerControl;
  #stopping: Promise<readonly DrainReport[]> | undefined;

  constructor(options: DataPlaneOptions, reactorEntry: string) {
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
    });
    this.#supervisor = new ReactorSupervisor({
      entry: reactorEntry,
      logger: logger.child({ component: 'supervisor' }),
      nodeOptions: () => reactorOpensslOptions(dataDir),
      handlers,
      reactors,
      snapshots: {
        gatewayId: options.gatewayId,
        pipelines: options.pipelines,
        settings: options.reactor,
        allowlist: options.allowlist,
        tlsIdentity: null,
        endpoints: options.endpoints,
        log: options.log,
      },
      connectionClosed: (id) => this.#acceptor.released(id),
      ban: (sourceIp, reason) => this.#acceptor.ban(sourceIp, reason),
    });
    this.#listener = new ListenerControl({
      logger: listenerLogger,
      metrics,
      acceptor: this.#acceptor,
      loadIdentity: () => loadTlsIdentity({ ...tls, dataDir, logger: listenerLogger }),
      useIdentity: (identity) =>
        this.#supervisor.replace({ tlsIdentity: identity }, { type: 'tls-identity', identity }),
      untilServed: () => this.#supervisor.untilReady(REACTOR_WAIT_MS),
    });
  }

  async start(): Promise<void> {
    this.#supervisor.start();
    await this.#listener.start();
  }

  updateAcceptor(settings: AcceptorSettings): Promise<void> {
    return this.#listener.update(settings);
  }

  updateReactorSettings(settings: ReactorSettings): void {
    this.#supervisor.replace({ settings }, { type: 'settings', settings });
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
