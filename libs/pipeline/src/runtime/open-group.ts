import type { Block, EventType } from '../api/index.js';
import { finishBlock } from '../helpers/index.js';
import { oldestOf, type Encoder } from './encode-group.js';
import type { QueueItem } from './queue.js';
import type { RecordGroup, Run } from './record-groups.js';
import { nextSequence } from './sequence.js';

interface Opened {
  readonly sink: string;
  readonly block: Block;
}

/**
 * Records of one event type that come in several processing batches, on their way into one entry for each sink. They are
 * encoded as they come, and none is kept (`docs/adr/0022`).
 */
export class OpenGroup {
  readonly runs: Run[] = [];
  rows = 0;
  readonly #opened: readonly Opened[];
  /** What a sink threw when it should have taken a batch back: nobody knows what its entry holds. */
  #broken: { readonly error: unknown } | undefined;

  /**
   * @param idPrefix `<gateway id>/<epoch>`
   * @throws what a sink throws when it begins an entry
   */
  constructor(
    readonly type: EventType,
    encoders: readonly Encoder[],
    private readonly idPrefix: string,
  ) {
    this.#opened = encoders.map(({ name, plugin }) => ({ sink: name, block: plugin.open(type) }));
  }

  /** Adds a group of the same type for all sinks, or, when one of them cannot encode it, for none. Returns whether it did. */
  add({ type, records, runs }: RecordGroup): boolean {
    const batch = { type, records, runs };
    let touched = 0;
    try {
      for (const { block } of this.#opened) {
        touched += 1;
        block.add(batch);
      }
    } catch {
      this.#undo(touched);
      return false;
    }
    for (const run of runs) this.runs.push(run);
    this.rows += records.length;
    return true;
  }

  /** Ends the entries, if anything was added. @throws what a sink throws */
  finish(): QueueItem[] {
    if (this.#broken !== undefined) throw this.#broken.error;
    if (this.rows === 0) return [];
    const receivedAt = oldestOf(this.runs);
    return this.#opened.map(({ sink, block }) => {
      const sequence = nextSequence();
      const entry = finishBlock(block, `${this.idPrefix}/${sequence}`);
      return { sink, entry, sequence, receivedAt };
    });
  }

  #undo(touched: number): void {
    try {
      for (const { block } of this.#opened.slice(0, touched)) block.undo();
    } catch (error) {
      this.#broken = { error };
    }
  }
}
