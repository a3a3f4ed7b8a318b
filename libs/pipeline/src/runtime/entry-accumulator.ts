import { deadLetters as deadLetterType, type EventType, type Logger } from '../api/index.js';
import type { EventGroup, PendingCount } from './batch-tracker.js';
import type { BatchSlice, ProcessingBatch } from './buffer-events.js';
import { errorName, type Decoded } from './decode.js';
import { encodeGroup, OpenGroup, type EncodedGroup, type Encoder, type EncodeFailure } from './encode.js';
import { DROP_REASONS, type DropReason } from './pending-batch.js';
import type { OutcomeCounts, QueueItem } from './queue.js';
import { DeadLetterGroup, type RecordGroup } from './record-groups.js';

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
  readonly items: readonly QueueItem[];
  readonly counts: OutcomeCounts;
}

/** What was accumulated, encoded: each event is in one of the groups or dropped. */
export interface FinishedEntries {
  readonly groups: readonly EntryGroup[];
  /** Their events end when `partial` is safe too. */
  readonly deadLetters: readonly EntryGroup[];
  /** Entries of events that another sink could not encode, which are among the dead letters. */
  readonly partial: readonly (readonly QueueItem[])[];
  readonly dropped: readonly {
    readonly pendingCounts: readonly PendingCount[];
    readonly reason: DropReason;
  }[];
}

/**
 * Processing batches that came shortly one after the other, in one group for each event type. Together they are fewer and
 * larger entries, and all that an entry costs, whatever its size, is paid less often (`docs/adr/0019`).
 */
export class EntryAccumulator {
  readonly #open = new Map<EventType, OpenGroup>();
  /** Groups that hold a record which a sink cannot encode: each has to be looked at by itself. */
  readonly #unencodable: RecordGroup[] = [];
  readonly #deadLetters: DeadLetterGroup;
  /** Events that steps have removed: they are durable together with the others. */
  readonly filtered: PendingCount[] = [];
  /** What they came in. */
  readonly slices: BatchSlice[] = [];
  /** Records, dead letters included. */
  rows = 0;
  /** Raw bytes of the events. */
  bytes = 0;

  constructor(private readonly options: AccumulatorOptions) {
    this.#deadLetters = new DeadLetterGroup(options.pipeline);
  }

  /** Whether there is nothing, not even a batch of which nothing is left to encode. */
  get empty(): boolean {
    return this.slices.length === 0;
  }

  /** All events, by the batch that they came in. */
  get pendingCounts(): readonly PendingCount[] {
    const groups = [...this.#open.values(), ...this.#unencodable, this.#deadLetters];
    return [...groups.flatMap(({ runs }) => runs), ...this.filtered];
  }

  /** Takes what a processing batch was decoded to. */
  add({ groups, deadLetters, filtered, rows }: Decoded, batch: ProcessingBatch): void {
    for (const group of groups) if (!this.#add(group)) this.#unencodable.push(group);
    this.#deadLetters.append(deadLetters);
    for (const each of filtered) this.filtered.push(each);
    this.rows += rows;
    for (const slice of batch) {
      this.slices.push(slice);
      this.bytes += slice.batch.bytes;
    }
  }

  /** Ends the entries. Nothing may be added afterwards. */
  finish(): FinishedEntries {
    const { sinks, deadLetters, idPrefix } = this.options;
    const open = [...this.#open.values()].map((group) => this.#finish(group));
    const encoded = this.#unencodable.flatMap((group) => encodeGroup(group, sinks, idPrefix));
    const refused = encoded.filter(({ failures }) => failures.length > 0);
    for (const { group, failures } of refused) {
      this.#deadLetters.addUnencodable(
        group,
        failures.map(({ sink }) => sink),
      );
    }
    const letters = encodeGroup(this.#deadLetters, [deadLetters], idPrefix);
    const lost = letters.filter(({ failures }) => failures.length > 0);
    this.#log('warn', refused, 'events that a sink could not encode go to the dead letters');
    this.#log('error', lost, 'dead letters that the sink could not encode are dropped');
    return {
      groups: [...open.flatMap(({ entries }) => entries ?? []), ...encoded.flatMap(entriesOf)],
      deadLetters: letters.flatMap(entriesOf),
      partial: refused.flatMap(({ items }) => (items.length === 0 ? [] : [items])),
      dropped: [
        ...open.flatMap(({ broken }) => broken ?? []),
        ...lost.map(({ group }) => ({ pendingCounts: group.runs, reason: DROP_REASONS.deadLetter })),
      ],
    };
  }

  #add(group: RecordGroup): boolean {
    let open = this.#open.get(group.type);
    if (open === undefined) {
      try {
        open = new OpenGroup(group.type, this.options.sinks, this.options.idPrefix);
      } catch {
        return false;
      }
      this.#open.set(group.type, open);
    }
    return open.add(group);
  }

  #finish(group: OpenGroup): { entries?: EntryGroup; broken?: FinishedEntries['dropped'][number] } {
    const { runs: pendingCounts, type, rows } = group;
    try {
      const items = group.finish();
      const counts: OutcomeCounts = { outcome: 'delivered', counts: new Map([[type.name, rows]]) };
      return items.length === 0 ? {} : { entries: { outcome: 'delivered', items, counts, pendingCounts } };
    } catch (error) {
      const { logger } = this.options;
      logger.error({ error: errorName(error) }, 'an entry could not be ended, its events are dropped');
      logger.debug({ err: error }, 'why the entry could not be ended');
      return { broken: { pendingCounts, reason: DROP_REASONS.internal } };
    }
  }

  /** One line for all of them. Messages of errors may hold values of the event: they are for debugging only. */
  #log(level: 'warn' | 'error', groups: readonly EncodedGroup[], message: string): void {
    const failures: readonly EncodeFailure[] = groups.flatMap((group) => group.failures);
    const [first] = failures;
    if (first === undefined) return;
    const { sink, error } = first;
    this.options.logger[level]({ sink, count: failures.length, error: errorName(error) }, message);
    this.options.logger.debug({ sink, err: error }, 'why the sink could not encode');
  }
}

/** The entries of a group that every sink could encode. */
function entriesOf({ group, items, failures }: EncodedGroup): EntryGroup[] {
  if (failures.length > 0) return [];
  const counts = countsOf(group);
  return [{ outcome: counts.outcome, items, counts, pendingCounts: group.runs }];
}

function countsOf({ type, records }: RecordGroup): OutcomeCounts {
  if (type !== deadLetterType) {
    return { outcome: 'delivered', counts: new Map([[type.name, records.length]]) };
  }
  const counts = new Map<string, number>();
  for (const record of records) {
    const code = record.code as string;
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return { outcome: 'deadLettered', counts };
}
