import { sleep } from '@activity-gateway/pipeline/helpers';

/** Spreads events over time, over all who ask, in the order of their asking. */
export class Pacer {
  #next = 0;

  /** @param rate events a second; `undefined`: as fast as they are taken */
  constructor(private readonly rate: number | undefined) {}

  /** How many events to take at a time, so that a tenth of a second is the coarsest step. */
  get chunkSize(): number {
    return this.rate === undefined ? 256 : Math.max(1, Math.min(256, Math.round(this.rate / 10)));
  }

  /** Waits for the turn of so many events; ends early when the signal aborts. Time missed is not made up for. */
  async wait(events: number, signal: AbortSignal): Promise<void> {
    if (this.rate === undefined) return;
    const now = performance.now();
    const turn = Math.max(now, this.#next);
    this.#next = turn + (events * 1000) / this.rate;
    if (turn > now) await sleep(turn - now, signal);
  }
}
