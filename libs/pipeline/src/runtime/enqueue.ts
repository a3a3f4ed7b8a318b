import { deadLetters as deadLetterType, type Logger, type StreamRange } from '../api/index.js';
import type { ProcessingBatch } from './buffer-events.js';
import type { BatchTracker } from './batch-tracker.js';
import { errorName } from './decode.js';
import { encodeGroup, type EncodeFailure, type Encoder } from './encode-group.js';
import type { EntryAccumulator } from './entry-accumulator.js';
import type { OpenGroup } from './open-group.js';
import { DROP_REASONS } from './pending-batch.js';
import type { Appended, EntryQueue, OutcomeCounts, QueueItem } from './queue.js';
import { halves, type RecordGroup } from './record-groups.js';

/** What queueing works with. */
export interface EnqueueOptions {
  /** All sinks. */
  readonly sinks: readonly Encoder[];
  /** The one of them that takes the dead letters. */
  readonly deadLetters: Encoder;
  /** `<gateway id>/<epoch>`, the first part of entry ids. */
  readonly idPrefix: string;
  readonly queue: Pick<EntryQueue, 'append' | 'streams'>;
  readonly tracker: Pick<BatchTracker, 'follow' | 'drop'>;
  readonly logger: Logger;
}

/** What is to be done with one event that a sink cannot encode. */
type Refuse = (group: RecordGroup, failures: readonly EncodeFailure[], appended: readonly Appended[]) => void;

const DONE = Promise.resolve();

/**
 * Queues what was accumulated; where the queue remembers streams, atomically with the ranges that the events came from.
 * Each event is then followed by the tracker, or dropped.
 * @returns what tells when the queue has taken what it has not taken at once
 */
export function enqueue(accumulated: EntryAccumulator, options: EnqueueOptions): readonly Promise<void>[] {
  const run = new EnqueueRun(options);
  const { streams } = options.queue;
  if (streams === undefined) {
    run.queueAll(accumulated);
    run.followFiltered(accumulated, DONE);
  } else {
    const remembered = streams.atomically(() => {
      run.queueAll(accumulated);
      return run.refused ? [] : storedRanges(accumulated.slices);
    });
    run.followFiltered(accumulated, remembered);
  }
  return run.accepted;
}

/** Queues the content of one accumulator. */
class EnqueueRun {
  readonly accepted: Promise<void>[] = [];
  /** Whether the queue has refused something. */
  refused = false;

  constructor(private readonly options: EnqueueOptions) {}

  queueAll({ open, unencodable, deadLetters }: EntryAccumulator): void {
    const { sinks, deadLetters: deadLetterSink, tracker } = this.options;
    const refused: EncodeFailure[] = [];
    const lost: EncodeFailure[] = [];
    for (const group of open) this.#finish(group);
    for (const group of unencodable) {
      this.#encode(group, sinks, [], (one, failures, appended) => {
        refused.push(...failures);
        deadLetters.addUnencodable(one, failures, appended);
      });
    }
    this.#encode(deadLetters, [deadLetterSink], deadLetters.alsoAppended, (one, failures) => {
      lost.push(...failures);
      tracker.drop(one.runs, DROP_REASONS.deadLetter);
    });
    this.#log('warn', refused, 'events that a sink could not encode go to the dead letters');
    this.#log('error', lost, 'dead letters that the sink could not encode are dropped');
  }

  /** A sender may forget an event that was removed once the range it came from is durable. */
  followFiltered({ filtered }: EntryAccumulator, remembered: Promise<void>): void {
    if (filtered.length === 0) return;
    const { tracker } = this.options;
    if (this.refused) tracker.drop(filtered, DROP_REASONS.queue);
    else
      tracker.follow({ outcome: 'filtered', pendingCounts: filtered }, [
        { accepted: undefined, safe: remembered },
      ]);
  }

  /** Queues a group that is encoded. */
  #finish(group: OpenGroup): void {
    const { runs, type, rows } = group;
    const { logger, tracker } = this.options;
    let items: readonly QueueItem[];
    try {
      items = group.finish();
    } catch (error) {
      logger.error({ error: errorName(error) }, 'an entry could not be ended, its events are dropped');
      logger.debug({ err: error }, 'why the entry could not be ended');
      tracker.drop(runs, DROP_REASONS.internal);
      return;
    }
    if (items.length === 0) return;
    const counts: OutcomeCounts = { outcome: 'delivered', counts: new Map([[type.name, rows]]) };
    tracker.follow({ outcome: counts.outcome, pendingCounts: runs }, [this.#append(items, counts)]);
  }

  /** Encodes a group and queues it. One bad event must not take the others along: a group that fails is halved. */
  #encode(group: RecordGroup, sinks: readonly Encoder[], also: readonly Appended[], refuse: Refuse): void {
    if (group.records.length === 0) return;
    const { items, failures } = encodeGroup(group, sinks, this.options.idPrefix);
    if (failures.length > 0 && group.records.length > 1) {
      for (const half of halves(group)) this.#encode(half, sinks, also, refuse);
      return;
    }
    // What becomes a dead letter is counted as one, and not a second time for the sinks that could encode it.
    const counts = failures.length > 0 ? undefined : countsOf(group);
    const appended = items.length === 0 ? also : [...also, this.#append(items, counts)];
    if (counts === undefined) refuse(group, failures, appended);
    else this.options.tracker.follow({ outcome: counts.outcome, pendingCounts: group.runs }, appended);
  }

  #append(items: readonly QueueItem[], counts: OutcomeCounts | undefined): Appended {
    try {
      const appended = this.options.queue.append(items, counts);
      if (appended.accepted !== undefined) this.accepted.push(appended.accepted);
      return appended;
    } catch (error) {
      this.options.logger.error({ err: error }, 'the queue refused entries, their events are dropped');
      this.refused = true;
      const lost = Promise.reject(new Error('The queue refused the entries.', { cause: error }));
      lost.catch(() => undefined);
      return { accepted: undefined, safe: lost };
    }
  }

  /** One line for all of a batch. Messages of errors may hold values of the event: they are for debugging only. */
  #log(level: 'warn' | 'error', failures: readonly EncodeFailure[], message: string): void {
    const [first] = failures;
    if (first === undefined) return;
    const { sink, error } = first;
    this.options.logger[level]({ sink, count: failures.length, error: errorName(error) }, message);
    this.options.logger.debug({ sink, err: error }, 'why the sink could not encode');
  }
}

/** Ranges of streams of which nothing was dropped: what was must be taken when it is sent again. */
function storedRanges(slices: ProcessingBatch): StreamRange[] {
  const ranges: StreamRange[] = [];
  for (const { batch, pendingBatch } of slices) {
    if (batch.stream !== undefined && !pendingBatch.lossy) ranges.push(batch.stream);
  }
  return ranges;
}

function countsOf({ type, records }: RecordGroup): OutcomeCounts {
  if (type !== deadLetterType)
    return { outcome: 'delivered', counts: new Map([[type.name, records.length]]) };
  const counts = new Map<string, number>();
  for (const record of records) {
    const code = record.code as string;
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return { outcome: 'deadLettered', counts };
}
