import { deadLetters, type EventType, type Logger } from '../api/index.js';
import type { EventGroup, PendingCount } from './batch-tracker.js';
import type { BatchSlice, ProcessingBatch } from './buffer-events.js';
import { errorName, type Decoded } from './decode.js';
import { countsOf, encodeForEach, OpenGroup, outcomeOf, type Encoder, type EncodeFailure } from './encode.js';
import { DROP_REASONS, type DropReason } from './pending-batch.js';
import type { OutcomeCounts, QueueItem } from './queue.js';
import { deadLetterRecord, halves, type RecordGroup } from './record-groups.js';

/** What accumulating works with. */
export interface AccumulatorOptions {
  readonly pipeline: string;
  /** All sinks. */
  readonly sinks: readonly Encoder[];
  /** The one of them that takes the dead letters. */
  readonly deadLetters: Encoder;
  /** `<gateway id>/<epoch>`, the first part of entry ids. */
  readonly idPrefix: string;
  readonly logger: Logger;
}

/** Entries of one group of events, at most one for each sink. */
export interface EntryGroup extends EventGroup {
  readonly outcome: OutcomeCounts['outcome'];
  readonly items: readonly QueueItem[];
  /** Missing for an event that another sink could not encode: it ends and counts as a dead letter, which comes later. */
  readonly counts?: OutcomeCounts['counts'];
}

interface Dropped {
  readonly pendingCounts: readonly PendingCount[];
  readonly reason: DropReason;
}

/** What was accumulated, encoded: each event is in one of the groups or dropped. */
export interface FinishedEntries {
  /** In the order of their sequence numbers. */
  readonly groups: readonly EntryGroup[];
  readonly dropped: readonly Dropped[];
}

/**
 * Processing batches that came shortly one after the other, in one entry for each event type and sink. Together they are
 * fewer and larger entries, and all that an entry costs, whatever its size, is paid less often (`docs/explanation/adr/0019`).
 */
export class EntryAccumulator {
  readonly #open: OpenGroup[] = [];
  /** Groups of one record that at least one sink could not add to its entry. */
  readonly #unencodable: RecordGroup[] = [];
  readonly #dropped: Dropped[] = [];
  /** What sinks could not encode: events, and dead letters. */
  readonly #failed = { events: [] as EncodeFailure[], deadLetters: [] as EncodeFailure[] };
  /** Events that steps have removed: they are durable together with the others. */
  readonly filtered: PendingCount[] = [];
  /** What they came in. */
  readonly slices: BatchSlice[] = [];
  /** Records, dead letters included. */
  rows = 0;
  /** Raw bytes of the events. */
  bytes = 0;

  constructor(private readonly options: AccumulatorOptions) {}

  /** Whether there is nothing, not even a batch of which nothing is left to encode. */
  get empty(): boolean {
    return this.slices.length === 0;
  }

  /** All events, by the batch that they came in. */
  get pendingCounts(): readonly PendingCount[] {
    const runs = [...this.#open, ...this.#unencodable].flatMap((group) => group.runs);
    return [...runs, ...this.#dropped.flatMap(({ pendingCounts }) => pendingCounts), ...this.filtered];
  }

  /** Takes what a processing batch was decoded to. */
  add({ groups, filtered, rows }: Decoded, batch: ProcessingBatch): void {
    for (const group of groups) this.#add(group);
    this.rows += rows;
    for (const each of filtered) this.filtered.push(each);
    for (const slice of batch) {
      this.slices.push(slice);
      this.bytes += slice.batch.bytes;
    }
  }

  /** Ends the entries. Nothing may be added afterwards. */
  finish(): FinishedEntries {
    const events = this.#open.filter(({ type }) => type !== deadLetters);
    const groups = events.flatMap((group) => this.#finish(group));
    // Dead letters that are added meanwhile, to an entry or behind these, have their turn too.
    for (const group of this.#unencodable) groups.push(...this.#encodeSingle(group));
    const rejected = this.#open.filter(({ type }) => type === deadLetters);
    const letters = rejected.flatMap((group) => this.#finish(group));
    this.#log('warn', this.#failed.events, 'Failed to encode events; dead-lettered');
    this.#log('error', this.#failed.deadLetters, 'Failed to encode dead letters; dropped');
    return { groups: [...groups, ...letters], dropped: this.#dropped };
  }

  /** One bad event must not take the others along: a group that a sink cannot encode is halved until it is found. */
  #add(group: RecordGroup): void {
    if (this.#openGroup(group.type)?.add(group) === true) return;
    if (group.records.length > 1) for (const half of halves(group)) this.#add(half);
    else this.#unencodable.push(group);
  }

  #openGroup(type: EventType): OpenGroup | undefined {
    const known = this.#open.find((group) => group.type === type && !group.broken);
    if (known !== undefined) return known;
    try {
      const open = new OpenGroup(type, this.#encodersOf(type), this.options.idPrefix);
      this.#open.push(open);
      return open;
    } catch {
      return undefined;
    }
  }

  /** Encodes an event for each sink by itself. Those that can get it, and it is a dead letter. */
  #encodeSingle(group: RecordGroup): EntryGroup[] {
    const { type, runs: pendingCounts } = group;
    const { items, failures } = encodeForEach(group, this.#encodersOf(type), this.options.idPrefix);
    const outcome = outcomeOf(type);
    if (failures.length === 0) {
      return [{ outcome, items, counts: countsOf(group), pendingCounts }];
    }
    if (type === deadLetters) {
      this.#failed.deadLetters.push(...failures);
      this.#dropped.push({ pendingCounts, reason: DROP_REASONS.deadLetter });
      return [];
    }
    this.#failed.events.push(...failures);
    this.#add(this.#deadLetterOf(group, failures));
    return items.length === 0 ? [] : [{ outcome, items, pendingCounts: [] }];
  }

  #deadLetterOf({ type, sources, runs }: RecordGroup, failures: readonly EncodeFailure[]): RecordGroup {
    const sinks = failures.map(({ sink }) => sink).join(', ');
    const record = deadLetterRecord(this.options.pipeline, {
      stage: 'sink',
      code: 'encode_failed',
      field: '',
      message: `The sink ${sinks} could not encode the event.`,
      raw: sources[0]?.raw as Uint8Array,
      eventType: type.type,
    });
    return { type: deadLetters, records: [record], sources: [], runs };
  }

  #finish(group: OpenGroup): EntryGroup[] {
    const { runs: pendingCounts, type, counts } = group;
    try {
      const items = group.finish();
      return items.length === 0 ? [] : [{ outcome: outcomeOf(type), items, counts, pendingCounts }];
    } catch (error) {
      const { logger } = this.options;
      logger.error({ error: errorName(error) }, 'Failed to encode an entry; events dropped');
      logger.debug({ err: error }, 'Cause of the failed entry');
      this.#dropped.push({ pendingCounts, reason: DROP_REASONS.internal });
      return [];
    }
  }

  #encodersOf(type: EventType): readonly Encoder[] {
    return type === deadLetters ? [this.options.deadLetters] : this.options.sinks;
  }

  /** One line for all of them. Messages of errors may hold values of the event: they are for debugging only. */
  #log(level: 'warn' | 'error', failures: readonly EncodeFailure[], message: string): void {
    const [first] = failures;
    if (first === undefined) return;
    const { sink, error } = first;
    this.options.logger[level]({ sink, count: failures.length, error: errorName(error) }, message);
    this.options.logger.debug({ sink, err: error }, 'Cause of the failed encoding');
  }
}
