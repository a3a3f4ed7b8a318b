import type { InstanceStatusTracker, Report } from './status.js';

/** State of a sink over all its deliveries: the worst of those that fail, `ok` when none does. */
export class SinkHealth {
  readonly #failing = new Map<string, Report>();

  constructor(private readonly board: Pick<InstanceStatusTracker, 'reportHost'>) {}

  /** A delivery fails. Returns whether it did not before, or with another state. */
  failing(token: string, report: Report): boolean {
    const before = this.#failing.get(token);
    this.#failing.set(token, report);
    this.#report();
    return before?.state !== report.state;
  }

  /** A delivery has ended. Returns whether it had failed before. */
  ended(token: string): boolean {
    const failed = this.#failing.delete(token);
    if (failed) this.#report();
    return failed;
  }

  #report(): void {
    let worst: Report = { state: 'ok' };
    for (const report of this.#failing.values()) {
      if (worst.state === 'ok' || (worst.state === 'degraded' && report.state === 'failed')) worst = report;
    }
    this.board.reportHost(worst);
  }
}
