import type { EventType } from '../api/index.js';
import type { Part, ProcessingBatch } from './batch-events.js';
import { DeadLetterGroup } from './dead-letter-group.js';
import type { RecordGroup } from './record-groups.js';

/**
 * Records of processing batches that came shortly one after the other, by event type. Encoded together they are fewer
 * and larger entries, and all that an entry costs, whatever its size, is paid less often (`docs/adr/0019`).
 */
export class Gathering {
  readonly #groups = new Map<EventType, RecordGroup>();
  readonly letters: DeadLetterGroup;
  /** What they came in. */
  readonly parts: Part[] = [];
  /** Records, dead letters included. */
  rows = 0;
  /** Raw bytes of the events. */
  bytes = 0;

  constructor(pipeline: string) {
    this.letters = new DeadLetterGroup(pipeline);
  }

  get groups(): readonly RecordGroup[] {
    return [...this.#groups.values()];
  }

  /** Whether there is nothing, not even a batch of which nothing is left to encode. */
  get empty(): boolean {
    return this.parts.length === 0;
  }

  /**
   * Takes what a batch was decoded to.
   * @param rows records in all groups, dead letters included
   */
  add(groups: readonly RecordGroup[], letters: DeadLetterGroup, rows: number, batch: ProcessingBatch): void {
    for (const group of groups) this.#add(group);
    append(this.letters, letters);
    this.rows += rows;
    for (const part of batch) {
      this.parts.push(part);
      this.bytes += part.batch.bytes;
    }
  }

  #add(group: RecordGroup): void {
    const found = this.#groups.get(group.type);
    if (found === undefined) this.#groups.set(group.type, group);
    else append(found, group);
  }
}

function append(to: RecordGroup, from: RecordGroup): void {
  for (const record of from.records) to.records.push(record);
  for (const source of from.sources) to.sources.push(source);
  for (const run of from.runs) to.runs.push(run);
}
