import type { AcceptedConnection, DrainReport, ReplayOutcome } from '@activity-gateway/pipeline/host';
import type { ConnectionEnd, Logger } from '@activity-gateway/pipeline/api';
import type { EnrollmentOutcome, EnrollmentRequest } from '@activity-gateway/activity';
import type {
  ControlNotice,
  ReactorConfiguration,
  ReactorSettings,
  ReplayRequest,
} from '../reactor/messages.js';
import { EndedReactors } from './ended-reactors.js';
import { Lobby, LOBBY_INDEX, LOBBY_WATCHDOG } from './lobby.js';
import type { ReactorProcess } from './reactor-process.js';
import { ReactorSlots } from './reactor-slots.js';
import { dealCredit, demandOf, withCredit } from './reactor-shares.js';
import { ReactorHandle, type ReactorView } from './reactor-handle.js';
import { SpoolDirectories } from './spool-directories.js';
import type { ReactorLauncher } from './reactor-launcher.js';
import { StreamClaimBroker } from './stream-claim-broker.js';
import type { DataPlaneHandlers, EndedPipeline, ListenerStatus } from './types.js';
import { WaitingConnections } from './waiting-connections.js';
import type { WatchdogLimits } from './watchdog.js';
import { WritePermits } from './write-permits.js';

/** All snapshots that reactors get, settings over all of them; the pool keeps the newest of each. */
export type ReactorSnapshots = Omit<ReactorConfiguration, 'epoch' | 'index' | 'lobby' | 'spool'>;

/** What a pool is made from. */
export interface ReactorPoolDependencies {
  readonly forks: Pick<ReactorLauncher, 'fork'>;
  readonly logger: Logger;
  readonly handlers: DataPlaneHandlers;
  /** How many there are at first. */
  readonly reactors: number;
  /** Directory of the spools. */
  readonly spoolDirectory: string;
  readonly snapshots: ReactorSnapshots;
  /** The peer of a connection given to `dispatch` has proved to hold a known key. */
  connectionIdentified(id: string, key: string): void;
  /** The peer of a connection given to `dispatch` has broken a rule. */
  connectionViolated(id: string, reason: string): void;
  /** A connection given to `dispatch` is closed; once for each. */
  connectionClosed(id: string): void;
  readonly watchdog?: WatchdogLimits;
}

/** How long a connection waits for a reactor that is being started, ms. */
const HOLD_MS = 3_000;
const METRICS_TIMEOUT_MS = 1_000;
const SILENCES_TIMEOUT_MS = 1_000;
/** A write may take as long as ClickHouse is given for it, and is tried again. */
const REPLAY_TIMEOUT_MS = 300_000;

/** Runs the reactors, shares connections out among them, and keeps their snapshots up to date. */
export class ReactorPool {
  readonly #handles: ReactorSlots;
  readonly #waiting: WaitingConnections;
  readonly #ended = new EndedReactors();
  readonly #streams = new StreamClaimBroker(() => this.#slots.map((slot) => () => slot.configured));
  readonly #spools: SpoolDirectories;
  readonly #lobby: Lobby;
  readonly #permits = new WritePermits((pool) => this.#permitsOf(pool));
  /** Events of the buffer that each reactor has, by index. */
  readonly #dealt = new Map<number, number>();
  #snapshots: ReactorSnapshots;
  #readyListeners: (() => void)[] = [];

  constructor(private readonly dependencies: ReactorPoolDependencies) {
    this.#snapshots = dependencies.snapshots;
    this.#waiting = new WaitingConnections(HOLD_MS, (connection) => this.#refuse(connection));
    this.#lobby = new Lobby({
      slot: () => this.#slot(LOBBY_INDEX),
      refuse: (connection) => this.#refuse(connection),
      started: () => this.#deal(),
    });
    this.#spools = new SpoolDirectories({
      directory: dependencies.spoolDirectory,
      pipelines: dependencies.snapshots.pipelines.map(({ name }) => name),
      reactors: () => this.#handles.count,
      running: (index) => this.#handles.has(index),
      lobby: this.#lobby.spoolSlot,
      logger: dependencies.logger,
    });
    this.#handles = new ReactorSlots({
      logger: dependencies.logger,
      slot: (index) => this.#slot(index),
      changed: () => this.#deal(),
      ended: () => this.#adoptSpools(),
    });
  }

  /** All reactors, draining ones and the lobby included. */
  get #slots(): readonly ReactorHandle[] {
    return [...this.#handles.slots, ...this.#lobby.slots];
  }

  start(): void {
    this.#spools.warnOfStrays();
    this.resize(this.dependencies.reactors);
  }

  /** Starts reactors, or retires those with the highest indexes, until there are as many; returns at once. */
  resize(count: number): void {
    this.#handles.resize(count);
  }

  /** Resolves when a reactor is ready, when all are stopped, or after the time, ms. */
  async untilReady(timeoutMs: number): Promise<void> {
    if (this.#leastBusy() !== undefined) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#readyListeners.push(resolve);
      timer = setTimeout(resolve, timeoutMs);
    });
    clearTimeout(timer);
  }

  /**
   * Hands a connection from a known address to the reactor with the fewest, and another one to the lobby; waits a little
   * when none is ready.
   */
  dispatch(connection: AcceptedConnection): void {
    if (connection.known !== true) return this.#lobby.dispatch(connection);
    const reactor = this.#leastBusy();
    if (reactor === undefined) this.#waiting.add(connection);
    else reactor.forward(connection);
  }

  /** Cuts a connection, wherever it is served or waits. */
  cut(id: string): void {
    if (this.#waiting.refuseOne(id) || this.#lobby.refuseOne(id)) return;
    for (const slot of this.#slots) slot.configured?.cut(id);
  }

  /** Ends a connection gracefully, wherever it is served. */
  end(id: string, reason: ConnectionEnd): void {
    for (const slot of this.#slots) slot.configured?.end(id, reason);
  }

  /** How long connections have been silent, ms, as far as their reactors tell within a second. */
  async silences(ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const running = this.#slots.flatMap((slot) => slot.configured ?? []);
    const answers = await Promise.all(running.map((reactor) => reactor.silences(ids, SILENCES_TIMEOUT_MS)));
    return new Map(answers.flatMap((answer) => Object.entries(answer ?? {})));
  }

  /** Replaces snapshots for reactors to come, and tells those that run. */
  replace(snapshots: Partial<ReactorSnapshots>, notice: ControlNotice): void {
    this.#snapshots = { ...this.#snapshots, ...snapshots };
    for (const slot of this.#slots) slot.configured?.notify(notice);
  }

  /** Replaces the settings over all reactors, and sends each its share. */
  replaceSettings(settings: ReactorSettings): void {
    this.#snapshots = { ...this.#snapshots, settings };
    this.#deal();
  }

  /** Closes every connection of agents, those that wait for a reactor included. */
  closeConnections(): void {
    this.#waiting.close();
    this.#lobby.refuseWaiting();
    for (const slot of this.#slots) slot.configured?.notify({ type: 'close-connections' });
  }

  /** What operators see. */
  views(): ReactorView[] {
    return this.#handles.views();
  }

  /** The same of the lobby; `undefined` while it was not needed. */
  lobbyView(): ListenerStatus['lobby'] {
    return this.#lobby.view();
  }

  /** Open connections by SPKI hash. */
  connectedAgents(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const slot of this.#slots) {
      for (const spki of slot.configured?.agents.values() ?? []) {
        counts.set(spki, (counts.get(spki) ?? 0) + 1);
      }
    }
    return counts;
  }

  /** What pipelines of surplus reactors had counted when they ended. */
  endedPipelines(): EndedPipeline[] {
    return this.#ended.pipelines();
  }

  /** Metrics of each reactor that answers within a second, and what those that ended had counted. */
  async collectMetrics(): Promise<(readonly object[])[]> {
    const running = this.#slots.flatMap((slot) => slot.configured ?? []);
    const answers = await Promise.all(running.map((reactor) => reactor.collectMetrics(METRICS_TIMEOUT_MS)));
    const ended = await this.#ended.metrics();
    return [...answers, ...(ended.length > 0 ? [ended] : [])].filter((answer) => answer !== undefined);
  }

  /** Tries dead letters again in the reactor with the fewest connections; `undefined` when none does. */
  async replay(request: ReplayRequest): Promise<readonly ReplayOutcome[] | undefined> {
    return this.#leastBusy()?.replay(request, REPLAY_TIMEOUT_MS);
  }

  /** Drains all reactors until the deadline, ms since 1970-01-01 UTC, and ends them. */
  async stop(deadline: number): Promise<readonly DrainReport[]> {
    this.#waiting.close();
    this.#wake();
    return (await Promise.all([this.#handles.stop(deadline), this.#lobby.stop(deadline)])).flat();
  }

  /** A reactor that drains keeps its share, so that the limits hold until it has ended. */
  #deal(): void {
    const { settings } = this.#snapshots;
    for (const [slot, credit] of this.#credits()) {
      this.#dealt.set(slot.index, credit);
      slot.configured?.notify({ type: 'settings', settings: withCredit(settings, credit) });
    }
    this.#permits.changed();
  }

  /** Gives what some reactors have no use for to those where agents wait. */
  #rebalance(): void {
    for (const [slot, credit] of this.#credits()) {
      if (this.#dealt.get(slot.index) === credit) continue;
      this.#dealt.set(slot.index, credit);
      const { bufferMaxEvents, bufferBytesShare } = withCredit(this.#snapshots.settings, credit).flow;
      slot.configured?.notify({
        type: 'credit',
        credit: { bufferMaxEvents, ...(bufferBytesShare && { bufferBytesShare }) },
      });
    }
  }

  #credits(): [ReactorHandle, number][] {
    const slots = this.#slots;
    const demands = slots.map((slot) => demandOf(slot.configured?.status));
    const credits = dealCredit(this.#snapshots.settings.flow.bufferMaxEvents, demands);
    return slots.map((slot, at) => [slot, credits[at] ?? 1]);
  }

  #configuration(index: number, epoch: string): ReactorConfiguration {
    const credit = this.#dealt.get(index) ?? 1;
    const settings = withCredit(this.#snapshots.settings, credit);
    const spool = this.#spools.assign(index);
    return { ...this.#snapshots, settings, index, epoch, spool, lobby: index === LOBBY_INDEX };
  }

  /** Permits of one sink: each of a pipeline has its share. */
  #permitsOf(pool: string): number {
    const { pipelines, settings } = this.#snapshots;
    const sinks = pipelines.find(({ name }) => pool.startsWith(`${name}/`))?.sinks.length ?? 1;
    return Math.max(1, Math.floor(settings.flow.sinkWriters / sinks));
  }

  #slot(index: number): ReactorHandle {
    const { handlers, logger, forks } = this.dependencies;
    const isLobby = index === LOBBY_INDEX;
    const watchdog = this.dependencies.watchdog ?? (isLobby ? LOBBY_WATCHDOG : undefined);
    return new ReactorHandle({
      index,
      ...(watchdog && { watchdog }),
      logger: logger.child({ reactor: isLobby ? 'lobby' : index }),
      fork: () => forks.fork(),
      nextEpoch: () => handlers.nextEpoch(),
      ended: (process) => {
        this.#spools.ended(index);
        this.#ended.add(process);
        this.#permits.drop(process);
      },
      configuration: (epoch) => this.#configuration(index, epoch),
      events: {
        ready: () => (isLobby ? this.#lobby.ready() : this.#ready()),
        connectionIdentified: (id, key) => this.dependencies.connectionIdentified(id, key),
        connectionViolated: (id, reason) => this.dependencies.connectionViolated(id, reason),
        connectionClosed: (id) => this.dependencies.connectionClosed(id),
        agentsSeen: (spkiHashes, at, reports) => handlers.agentsSeen(spkiHashes, at, reports),
        enroll: (request) => this.#enroll(request),
        claimStream: (...claim) => this.#streams.claim(...claim),
        status: () => this.#rebalance(),
        permitWanted: (pool, process, grant) => this.#permits.want(pool, process, grant),
        permitDone: (pool, process) => this.#permits.done(pool, process),
      },
    });
  }

  /**
   * A surplus reactor that could not write all that it held has left its spool, or one that had adopted spools has ended:
   * others write them out, as soon as one can.
   */
  #adoptSpools(): void {
    const best = this.#leastBusySlot();
    if (best === undefined) return;
    const shares = this.#spools.shareOut(best.index);
    for (const { index, ready } of this.#handles.slots) {
      const spools = shares.get(index);
      if (spools !== undefined) ready?.notify({ type: 'adopt-spools', spools });
    }
  }

  #leastBusy(): ReactorProcess | undefined {
    return this.#leastBusySlot()?.ready;
  }

  #leastBusySlot(): ReactorHandle | undefined {
    let best: ReactorHandle | undefined;
    const connections = (slot: ReactorHandle | undefined): number => slot?.ready?.connections ?? Infinity;
    for (const slot of this.#handles.slots) if (connections(slot) < connections(best)) best = slot;
    return best;
  }

  #ready(): void {
    this.#adoptSpools();
    this.#wake();
    for (const connection of this.#waiting.takeAll()) this.dispatch(connection);
  }

  #wake(): void {
    for (const listener of this.#readyListeners.splice(0)) listener();
  }

  async #enroll(request: EnrollmentRequest): Promise<EnrollmentOutcome> {
    try {
      return await this.dependencies.handlers.enroll(request);
    } catch (error) {
      this.dependencies.logger.error(
        { err: error, spkiHash: request.spkiHash },
        'Failed to decide an enrollment',
      );
      return { status: 'Unavailable' };
    }
  }

  #refuse({ id, socket }: AcceptedConnection): void {
    this.dependencies.logger.warn({ connection: id }, 'No reactor is ready, connection closed');
    socket.destroy();
    this.dependencies.connectionClosed(id);
  }
}
