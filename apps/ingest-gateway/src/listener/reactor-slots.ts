import type { DrainReport } from '@activity-gateway/pipeline/host';
import type { Logger } from '@activity-gateway/pipeline/api';
import type { ReactorHandle, ReactorView } from './reactor-handle.js';

/** What a pool is made from. */
export interface ReactorSlotsDependencies {
  readonly logger: Logger;
  /** Makes the slot of an index; the pool starts it. */
  slot(index: number): ReactorHandle;
  /** Called when slots were added or are gone: shares have to be dealt anew. */
  changed(): void;
  /** Called when a surplus reactor has ended: what it could not write is left on disk. */
  ended(): void;
}

/**
 * How long a surplus reactor may take to write out what it holds, ms: nobody waits for its end, so it ends early only when
 * its sinks write nothing, or with the gateway. A timer of Node lasts 24 days at most.
 */
const RETIRE_MS = 7 * 86_400_000;

/**
 * The reactors by index, 0 to one less than their number. An index belongs to one process at a time: one that is wanted
 * again while its surplus reactor still drains gets a new process when that has ended.
 */
export class ReactorSlots {
  readonly #slots = new Map<number, ReactorHandle>();
  readonly #retiring = new Map<number, Promise<readonly DrainReport[]>>();
  #count = 0;
  #stopped = false;

  constructor(private readonly dependencies: ReactorSlotsDependencies) {}

  /** All slots by index, draining ones included. */
  get slots(): readonly ReactorHandle[] {
    return [...this.#slots].sort(([a], [b]) => a - b).map(([, slot]) => slot);
  }

  /** How many there are to be. */
  get count(): number {
    return this.#count;
  }

  /** Whether the reactor of an index runs, draining included. */
  has(index: number): boolean {
    return this.#slots.has(index);
  }

  /** What operators see. */
  views(): ReactorView[] {
    return this.slots.map((slot) => slot.view());
  }

  /** Starts and retires reactors until there are as many; returns at once. */
  resize(count: number): void {
    if (this.#stopped) return;
    this.#count = count;
    for (let index = 0; index < count; index += 1) this.#open(index);
    for (const index of [...this.#slots.keys()]) if (index >= count) this.#retire(index);
    this.dependencies.changed();
  }

  /** Drains all reactors until the deadline, ms since 1970-01-01 UTC, and ends them. */
  async stop(deadline: number): Promise<readonly DrainReport[]> {
    this.#stopped = true;
    const reports = await Promise.all([...this.#slots.values()].map((slot) => slot.stop(deadline)));
    return reports.flat();
  }

  #open(index: number): void {
    if (this.#slots.has(index)) return;
    const slot = this.dependencies.slot(index);
    this.#slots.set(index, slot);
    slot.start();
  }

  #retire(index: number): void {
    const slot = this.#slots.get(index);
    if (slot === undefined || this.#retiring.has(index)) return;
    const drained = slot.stop(Date.now() + RETIRE_MS);
    this.#retiring.set(index, drained);
    void drained.then((reports) => this.#retired(index, reports));
  }

  #retired(index: number, reports: readonly DrainReport[]): void {
    this.#retiring.delete(index);
    this.dependencies.logger.info({ reactor: index, reports }, 'Surplus reactor ended');
    if (this.#stopped) return;
    this.#slots.delete(index);
    if (index < this.#count) this.#open(index);
    this.dependencies.changed();
    this.dependencies.ended();
  }
}
