import type { EventType } from '../api/index.js';
import type { BatchSlice, ProcessingBatch } from './buffer-events.js';
import { DeadLetterGroup } from './dead-letter-group.js';
import type { OpenGroup } from './open-group.js';
import type { PendingCount } from './batch-tracker.js';
import type { Decoded } from './decode.js';
import type { RecordGroup } from './record-groups.js';

/**
 * Processing batches that came shortly one after the other, in one group for each event type. Together they are fewer and
 * larger entries, and all that an entry costs, whatever its size, is paid less often (`docs/adr/0019`).
 */
export class EntryAccumulator {
  readonly #open = new Map<EventType, OpenGroup>();
  /** Groups that hold a record which a sink cannot encode: each has to be looked at by itself. */
  readonly unencodable: RecordGroup[] = [];
  readonly deadLetters: DeadLetterGroup;
  /** Events that steps have removed: they are durable together with the others. */
  readonly filtered: PendingCount[] = [];
  /** What they came in. */
  readonly slices: BatchSlice[] = [];
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
    return this.slices.length === 0;
  }

  /** All events, by the batch that they came in. */
  get pendingCounts(): readonly PendingCount[] {
    const groups = [...this.open, ...this.unencodable, this.deadLetters];
    return [...groups.flatMap(({ runs }) => runs), ...this.filtered];
  }

  /** Takes what a processing batch was decoded to. */
  add({ groups, deadLetters, filtered, rows }: Decoded, batch: ProcessingBatch): void {
    for (const group of groups) if (!this.#add(group)) this.unencodable.push(group);
    this.deadLetters.append(deadLetters);
    for (const each of filtered) this.filtered.push(each);
    this.rows += rows;
    for (const slice of batch) {
      this.slices.push(slice);
      this.bytes += slice.batch.bytes;
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
