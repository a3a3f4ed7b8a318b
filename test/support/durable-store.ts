import type { Batch, Emit, DurableRanges, SequenceRange } from '@activity-gateway/pipeline/api';
import { mergeRanges } from '@activity-gateway/pipeline/helpers';

/** When a batch is settled: when it is stored, as the runtime does, or, to show what that would cost, when it comes. */
export type SettlePolicy = 'stored' | 'received';

/**
 * A pipeline's queue as a source sees it, with a disk that survives `crash` and a memory that does not. Messages and the
 * marks of their streams are stored in one step.
 */
export class DurableStore implements DurableRanges {
  /** Raw messages on the disk, in the order they were stored. */
  readonly stored: string[] = [];
  readonly #marks = new Map<string, SequenceRange[]>();
  #memory: Batch[] = [];

  constructor(readonly policy: SettlePolicy = 'stored') {}

  /** Batches that are not stored. */
  get waiting(): number {
    return this.#memory.length;
  }

  /** Takes a batch into memory. */
  readonly emit: Emit = (batch) => {
    this.#memory.push(batch);
    if (this.policy === 'received') settle(batch);
    return Promise.resolve();
  };

  /** Stores the oldest batches, and then settles them. */
  flush(count = Infinity): void {
    const flushed = this.#memory.splice(0, count);
    for (const { events, rejects, stream } of flushed) {
      for (const { raw } of [...events, ...rejects]) this.stored.push(Buffer.from(raw).toString());
      if (stream === undefined) continue;
      const marks = this.#marks.get(stream.stream) ?? [];
      this.#marks.set(stream.stream, mergeRanges([...marks, stream]));
    }
    flushed.forEach(settle);
  }

  /** Forgets what is not stored; it never settles. */
  crash(): void {
    this.#memory = [];
  }

  durable(stream: string): Promise<readonly SequenceRange[]> {
    return Promise.resolve(this.#marks.get(stream) ?? []);
  }
}

function settle(batch: Batch): void {
  batch.settle({ delivered: batch.events.length, deadLettered: batch.rejects.length, dropped: 0 });
}
