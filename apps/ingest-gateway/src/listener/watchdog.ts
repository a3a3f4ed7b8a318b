/** What a watchdog looks after. */
export interface WatchdogDependencies {
  /** Whether there is something to watch now. */
  watching(): boolean;
  /** Called once when the silence is worth a log line. */
  warn(seconds: number): void;
  /** Called once when the silence has lasted too long. */
  kill(seconds: number): void;
}

/** Length of a tick and how many without a sign of life are too many. */
export interface WatchdogLimits {
  readonly tickMs: number;
  readonly warnTicks: number;
  readonly killTicks: number;
}

const LIMITS: WatchdogLimits = { tickMs: 1_000, warnTicks: 10, killTicks: 30 };

/**
 * Notices that a process which tells its status once a second has fallen silent. It counts its own ticks instead of
 * looking at a clock: after this process itself was stopped for a while (a suspended machine), the other one gets its
 * whole time again.
 */
export class Watchdog {
  #timer: NodeJS.Timeout | undefined;
  #silent = 0;

  constructor(
    private readonly dependencies: WatchdogDependencies,
    private readonly limits: WatchdogLimits = LIMITS,
  ) {}

  /** Begins to count. */
  start(): void {
    this.stop();
    this.#timer = setInterval(() => this.#tick(), this.limits.tickMs).unref();
  }

  /** A sign of life. */
  recordHeartbeat(): void {
    this.#silent = 0;
  }

  /** Ends the timer. */
  stop(): void {
    clearInterval(this.#timer);
    this.#silent = 0;
  }

  #tick(): void {
    const { tickMs, warnTicks, killTicks } = this.limits;
    this.#silent = this.dependencies.watching() ? this.#silent + 1 : 0;
    const seconds = Math.round((this.#silent * tickMs) / 1_000);
    if (this.#silent === warnTicks) this.dependencies.warn(seconds);
    if (this.#silent === killTicks) this.dependencies.kill(seconds);
  }
}
