import type { DrainReport } from '@app/pipeline';
import type { AcceptedConnection, EnrollmentOutcome, EnrollmentRequest, Logger } from '@app/pipeline/api';
import type { ReactorConfiguration, ToReactor } from '../reactor/messages.js';
import type { ReactorProcess } from './reactor-process.js';
import { ReactorSlot, type ReactorView } from './reactor-slot.js';
import type { DataPlaneHandlers } from './types.js';
import { WaitingConnections } from './waiting-connections.js';

/** All snapshots that reactors get; the supervisor keeps the newest of each. */
export type ReactorSnapshots = Omit<ReactorConfiguration, 'epoch'>;

/** What a supervisor is made from. */
export interface ReactorSupervisorParts {
  /** Module that child processes run. */
  readonly entry: string;
  readonly logger: Logger;
  /** Options of Node for child processes, beside those of this one. */
  nodeOptions(): Promise<readonly string[]>;
  readonly handlers: DataPlaneHandlers;
  readonly reactors: number;
  readonly snapshots: ReactorSnapshots;
  /** A connection given to `dispatch` is closed; once for each. */
  connectionClosed(id: string): void;
  /** A reactor asks for a ban. */
  ban(sourceIp: string, reason: string): void;
}

/** How long a connection waits for a reactor that is being started, ms. */
const HOLD_MS = 3_000;
const METRICS_TIMEOUT_MS = 1_000;

/** Runs the reactors, shares connections out among them, and keeps their snapshots up to date. */
export class ReactorSupervisor {
  readonly #slots: readonly ReactorSlot[];
  readonly #waiting: WaitingConnections;
  #snapshots: ReactorSnapshots;
  #readyListeners: (() => void)[] = [];

  constructor(private readonly parts: ReactorSupervisorParts) {
    this.#snapshots = parts.snapshots;
    this.#waiting = new WaitingConnections(HOLD_MS, (connection) => this.#refuse(connection));
    this.#slots = Array.from({ length: parts.reactors }, (_, index) => this.#slot(index));
  }

  start(): void {
    for (const slot of this.#slots) slot.start();
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

  /** Hands a connection to the reactor with the fewest; waits a little for one when none is ready. */
  dispatch(connection: AcceptedConnection): void {
    const reactor = this.#leastBusy();
    if (reactor === undefined) this.#waiting.add(connection);
    else reactor.handOver(connection);
  }

  /** Replaces snapshots for reactors to come, and sends the message to those that run. */
  replace(snapshots: Partial<ReactorSnapshots>, message: ToReactor): void {
    this.#snapshots = { ...this.#snapshots, ...snapshots };
    for (const slot of this.#slots) slot.configured?.send(message);
  }

  /** Closes every connection of agents, those that wait for a reactor included. */
  closeConnections(): void {
    this.#waiting.close();
    for (const slot of this.#slots) slot.configured?.send({ type: 'close-connections' });
  }

  /** What operators see. */
  views(): ReactorView[] {
    return this.#slots.map((slot) => slot.view());
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

  /** Metrics of each reactor that answers within a second. */
  async collectMetrics(): Promise<(readonly object[])[]> {
    const running = this.#slots.flatMap((slot) => slot.configured ?? []);
    const answers = await Promise.all(running.map((reactor) => reactor.collectMetrics(METRICS_TIMEOUT_MS)));
    return answers.filter((answer) => answer !== undefined);
  }

  /** Drains all reactors until the deadline, ms since 1970-01-01 UTC, and ends them. */
  async stop(deadline: number): Promise<readonly DrainReport[]> {
    this.#waiting.close();
    this.#wake();
    const reports = await Promise.all(this.#slots.map((slot) => slot.stop(deadline)));
    return reports.flat();
  }

  #slot(index: number): ReactorSlot {
    const { handlers, logger, entry } = this.parts;
    return new ReactorSlot({
      entry,
      logger: logger.child({ reactor: index }),
      nodeOptions: () => this.parts.nodeOptions(),
      nextEpoch: () => handlers.nextEpoch(),
      configuration: (epoch) => ({ ...this.#snapshots, epoch }),
      events: {
        ready: () => this.#ready(),
        connectionClosed: (id) => this.parts.connectionClosed(id),
        agentsSeen: (spkiHashes, at, reports) => handlers.agentsSeen(spkiHashes, at, reports),
        enroll: (request) => this.#enroll(request),
        ban: (sourceIp, reason) => this.parts.ban(sourceIp, reason),
      },
    });
  }

  #leastBusy(): ReactorProcess | undefined {
    let best: ReactorProcess | undefined;
    for (const { ready } of this.#slots) {
      if (ready !== undefined && (best === undefined || ready.connections < best.connections)) best = ready;
    }
    return best;
  }

  #ready(): void {
    this.#wake();
    for (const connection of this.#waiting.takeAll()) this.dispatch(connection);
  }

  #wake(): void {
    for (const listener of this.#readyListeners.splice(0)) listener();
  }

  async #enroll(request: EnrollmentRequest): Promise<EnrollmentOutcome> {
    try {
      return await this.parts.handlers.enroll(request);
    } catch (error) {
      this.parts.logger.error({ err: error, spki: request.spkiHash }, 'Enrollment could not be decided');
      return { status: 'Unavailable' };
    }
  }

  #refuse({ id, socket }: AcceptedConnection): void {
    this.parts.logger.warn({ connection: id }, 'No reactor is ready, connection closed');
    socket.destroy();
    this.parts.connectionClosed(id);
  }
}
