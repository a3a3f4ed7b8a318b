import type { InstanceState } from '../api/index.js';
import type { InstanceStatus } from './types.js';

/** What an instance, or the host for it, says between start and stop. */
export interface Report {
  readonly state: 'ok' | 'degraded' | 'failed';
  readonly reason?: string | undefined;
}

/** Where an instance is in its life. */
export type Phase = 'starting' | 'running' | 'stopping' | 'stopped';

const SEVERITY = { ok: 0, degraded: 1, failed: 2 } as const;
const OK: Report = { state: 'ok' };

/** State of one instance: its phase, and while it runs the worse of what it and the host report. */
export class InstanceStatusTracker {
  #phase: Phase = 'starting';
  #begun = false;
  #own = OK;
  #host = OK;
  #shown: Report | { readonly state: InstanceState; readonly reason?: undefined } = { state: 'starting' };
  #since: number;

  constructor(
    readonly id: string,
    readonly plugin: string,
    private readonly now: () => number,
  ) {
    this.#since = now();
  }

  /** Whether its `start` was called, so that its `stop` has to be. */
  get begun(): boolean {
    return this.#begun;
  }

  /** To be called before its `start` is. */
  begin(): void {
    this.#begun = true;
  }

  enter(phase: Phase): void {
    this.#phase = phase;
    this.#show();
  }

  /** What the instance says of itself. */
  reportOwn(report: Report): void {
    this.#own = report;
    this.#show();
  }

  /** What the host has seen of it, such as failing writes. */
  reportHost(report: Report): void {
    this.#host = report;
    this.#show();
  }

  status(): InstanceStatus {
    const { id, plugin } = this;
    const { state, reason } = this.#shown;
    const status = { id, plugin, state, since: this.#since };
    return reason === undefined ? status : { ...status, reason };
  }

  #show(): void {
    const worst = SEVERITY[this.#own.state] >= SEVERITY[this.#host.state] ? this.#own : this.#host;
    const shown = this.#phase === 'running' ? worst : { state: this.#phase };
    const { state, reason } = { reason: undefined, ...shown };
    if (state === this.#shown.state && reason === this.#shown.reason) return;
    this.#shown = { state, reason } as Report;
    this.#since = this.now();
  }
}
