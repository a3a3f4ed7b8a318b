import type { EventType } from '../api/index.js';
import type { BatchSlice, ProcessingBatch } from './batch-events.js';
import { DeadLetterGroup } from './dead-letter-group.js';
import type { OpenGroup } from './open-group.js';
import type { RecordGroup, Run } from './record-groups.js';

/**
 * Processing batches that came shortly one after the other, in one group for each event type. Together they are fewer and
 * larger entries, and all that an entry costs, whatever its size, is paid less often (`docs/adr/0019`).
 */
export class EntryAccumulator {
  readonly #open = new Map<EventType, OpenGroup>();
  /** Groups that hold a record which a sink cannot encode: each has to be looked at by itself. */
  readonly unencodable: RecordGroup[] = [];
  readonly deadLetters: DeadLetterGroup;
  /** What they came in. */
  readonly parts: BatchSlice[] = [];
  /** Records, dead letters included. */
  rows = 0;
  /** Raw bytes of the events. */
  bytes = 0;

  /** @param begin makes the group of an event type; may throw */
  constructor(
    pipeline: string,
    private readonly begin: (type: EventType) => OpenGroup,
  ) {
    this.deadLetters = new DeadLetterGroup(pipeline);
  }

  /** Groups that are encoded already. */
  get open(): readonly OpenGroup[] {
    return [...this.#open.values()];
  }

  /** Whether there is nothing, not even a batch of which nothing is left to encode. */
  get empty(): boolean {
    return this.parts.length === 0;
  }

  /** Runs of all records. */
  get runs(): readonly Run[] {
    return [...this.open, ...this.unencodable, this.deadLetters].flatMap(({ runs }) => runs);
  }

  /**
   * Takes what a batch was decoded to.
   * @param rows records in all groups, dead letters included
   */
  add(
    groups: readonly RecordGroup[],
    deadLetters: DeadLetterGroup,
    rows: number,
    batch: ProcessingBatch,
  ): void {
    for (const group of groups) if (!this.#add(group)) this.unencodable.push(group);
    this.deadLetters.append(deadLetters);
    this.rows += rows;
    for (const part of batch) {
      this.parts.push(part);
      this.bytes += part.batch.bytes;
    }
  }

  #add(group: RecordGroup): boolean {
    let open = this.#open.get(group.type);
    if (open === undefined) {
      try {
        open = this.begin(group.type);
      } catch {
        return false;
      }
      this.#open.set(group.type, open);
    }
    return open.add(group);
  }
}
