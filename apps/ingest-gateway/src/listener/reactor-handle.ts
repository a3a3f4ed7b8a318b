import type { DrainReport } from '@activity-gateway/pipeline/host';
import type { Logger } from '@activity-gateway/pipeline/api';
import { Backoff, sleep } from '@activity-gateway/pipeline/helpers';
import type { ReactorConfiguration } from '../reactor/messages.js';
import type { ForkedReactor } from './reactor-launcher.js';
import { ReactorProcess, type ReactorEvents } from './reactor-process.js';
import type { ListenerStatus } from './types.js';
import { Watchdog, type WatchdogLimits } from './watchdog.js';

/** State of one reactor, as the listener's status shows it. */
export type ReactorView = ListenerStatus['reactors'][number];

/** What a slot is made from. */
export interface ReactorHandleDependencies {
  /** Place among the reactors, from 0. */
  readonly index: number;
  readonly logger: Logger;
  /** Gives a child process; asked again, ever more slowly, after it has thrown or the process has ended. */
  fork(): Promise<ForkedReactor>;
  /** An epoch never used before; asked for at each start of the process. */
  nextEpoch(): Promise<string>;
  /** The newest snapshots. */
  configuration(epoch: string): ReactorConfiguration;
  readonly events: Omit<ReactorEvents, 'hello' | 'failed'>;
  /** A process has ended; for what it told last. */
  ended(process: ReactorProcess): void;
  /** When a silent process is told of and ended; after 10 s and 30 s by default. */
  readonly watchdog?: WatchdogLimits;
}

/** A process that has not begun to work by then is ended and started anew, ms. */
const START_TIMEOUT_MS = 30_000;
/** A process that worked this long did not fail because of its start, ms. */
const STABLE_MS = 10_000;
const RESTART_BACKOFF = { initialMs: 200, maxMs: 30_000 };

/** Keeps one reactor running: starts its process again, ever more slowly, when it ends. */
export class ReactorHandle {
  readonly #backoff = new Backoff(RESTART_BACKOFF);
  readonly #stopping = new AbortController();
  readonly #watchdog: Watchdog;
  #process: ReactorProcess | undefined;
  #configured = false;
  #state: ReactorView['state'] = 'stopped';
  #reason: string | undefined;
  #starts = 0;
  #readyAt = 0;

  constructor(private readonly dependencies: ReactorHandleDependencies) {
    this.#watchdog = new Watchdog(
      {
        watching: () => this.#process !== undefined && this.#readyAt > 0,
        warn: (seconds) => this.#silent(seconds),
        kill: (seconds) => this.#end(`told nothing for ${seconds} seconds`),
      },
      dependencies.watchdog,
    );
  }

  /** Place among the reactors, from 0. */
  get index(): number {
    return this.dependencies.index;
  }

  /** The process, once it works and until it ends. */
  get ready(): ReactorProcess | undefined {
    return this.#state === 'ready' ? this.#process : undefined;
  }

  /** The process, when it has got its configuration: later snapshots are to be sent to it. */
  get configured(): ReactorProcess | undefined {
    return this.#configured ? this.#process : undefined;
  }

  /** What operators see of it. */
  view(): ReactorView {
    const status = this.#process?.status;
    return {
      index: this.dependencies.index,
      pid: this.#process?.pid,
      state: this.#state,
      ...(this.#reason !== undefined && { reason: this.#reason }),
      restarts: Math.max(0, this.#starts - 1),
      ...(status && { status }),
    };
  }

  /** Starts the process and keeps it running until `stop`. */
  start(): void {
    this.#watchdog.start();
    void this.#keepRunning();
  }

  /** Drains the process until the deadline, ms since 1970-01-01 UTC, and ends it. Safe twice; the earlier deadline counts. */
  async stop(deadline: number): Promise<readonly DrainReport[]> {
    this.#stopping.abort();
    const process = this.#process;
    if (process === undefined) {
      this.#state = 'stopped';
      return [];
    }
    this.#state = 'draining';
    if (!this.#configured) process.kill();
    return process.drain(deadline);
  }

  async #keepRunning(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const reason = await this.#runOnce();
      if (signal.aborted) break;
      this.#state = 'failed';
      this.#reason ??= reason;
      if (this.#readyAt > 0 && Date.now() - this.#readyAt > STABLE_MS) this.#backoff.reset();
      const waitMs = this.#backoff.next();
      this.dependencies.logger.error(
        { reason: this.#reason, restartInMs: waitMs },
        'Reactor ended, starting it again',
      );
      await sleep(waitMs, signal);
    }
    this.#state = 'stopped';
    this.#watchdog.stop();
  }

  /** Runs the process until it ends; gives why. */
  async #runOnce(): Promise<string> {
    this.#state = 'starting';
    this.#readyAt = 0;
    let process: ReactorProcess;
    try {
      const epoch = await this.dependencies.nextEpoch();
      const forked = await this.dependencies.fork();
      if (this.#stopping.signal.aborted) {
        await forked.end();
        return 'stopped';
      }
      process = this.#begin(epoch, forked);
    } catch (error) {
      return `could not be prepared: ${error instanceof Error ? error.message : String(error)}`;
    }
    const timer = setTimeout(() => this.#tooSlow(), START_TIMEOUT_MS);
    const reason = await process.exited;
    clearTimeout(timer);
    this.dependencies.ended(process);
    this.#process = undefined;
    this.#configured = false;
    return reason;
  }

  #begin(epoch: string, forked: ForkedReactor): ReactorProcess {
    this.#starts += 1;
    this.#reason = undefined;
    const events: ReactorEvents = {
      ...this.dependencies.events,
      hello: () => {
        this.#process?.notify({ type: 'configure', configuration: this.dependencies.configuration(epoch) });
        this.#configured = true;
      },
      ready: () => this.#isReady(),
      failed: (reason) => (this.#reason = reason),
      status: () => {
        this.#watchdog.recordHeartbeat();
        this.dependencies.events.status();
      },
    };
    this.#process = new ReactorProcess(forked, events, this.dependencies.logger);
    return this.#process;
  }

  #isReady(): void {
    if (this.#stopping.signal.aborted) return;
    this.#state = 'ready';
    this.#readyAt = Date.now();
    this.dependencies.logger.info({ pid: this.#process?.pid }, 'Reactor ready');
    this.dependencies.events.ready();
  }

  #tooSlow(): void {
    if (this.#readyAt === 0) this.#end(`did not begin to work within ${START_TIMEOUT_MS / 1_000} seconds`);
  }

  #silent(seconds: number): void {
    const fields = { pid: this.#process?.pid, seconds };
    this.dependencies.logger.warn(fields, 'Reactor not responding');
  }

  /** Ends the process by force; it is started again. */
  #end(reason: string): void {
    this.#reason = reason;
    this.#process?.kill();
  }
}
