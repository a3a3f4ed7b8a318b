import type { Logger, StreamRange } from '../api/index.js';
import type { BatchTracker } from './batch-tracker.js';
import type { ProcessingBatch } from './buffer-events.js';
import type { EntryAccumulator, EntryGroup, FinishedEntries } from './entry-accumulator.js';
import { DROP_REASONS } from './pending-batch.js';
import type { Appended, EntryQueue } from './queue.js';

/** What queueing works with. */
export interface EnqueueOptions {
  readonly queue: Pick<EntryQueue, 'append' | 'streams'>;
  readonly tracker: Pick<BatchTracker, 'follow' | 'drop'>;
  readonly logger: Logger;
}

/** What the queue said to an append. */
interface Answer extends Appended {
  /** It has thrown, and has nothing of it. */
  readonly refused?: boolean;
}

const DONE = Promise.resolve();

/**
 * Queues what was accumulated; where the queue remembers streams, atomically with the ranges that the events came from.
 * Each event is then followed by the tracker, or dropped.
 * @returns what tells when the queue has taken what it has not taken at once
 */
export function enqueue(accumulated: EntryAccumulator, options: EnqueueOptions): readonly Promise<void>[] {
  const { queue, tracker } = options;
  const { filtered, slices } = accumulated;
  const entries = accumulated.finish();
  let answers: readonly Answer[] = [];
  const append = (): readonly StreamRange[] => {
    answers = appendAll(entries, options);
    return answers.some(({ refused }) => refused) ? [] : storedRanges(slices);
  };
  const remembered = queue.streams === undefined ? void append() : queue.streams.atomically(append);
  if (filtered.length > 0) {
    // A sender may forget an event that was removed once the range it came from is durable.
    const group = { outcome: 'filtered', pendingCounts: filtered } as const;
    if (answers.some(({ refused }) => refused)) tracker.drop(filtered, DROP_REASONS.queue);
    else tracker.follow(group, [{ accepted: undefined, safe: remembered ?? DONE }]);
  }
  return answers.flatMap(({ accepted }) => accepted ?? []);
}

/** Appends the entries, and lets the tracker follow their events. */
function appendAll({ groups, dropped }: FinishedEntries, options: EnqueueOptions): Answer[] {
  const { tracker } = options;
  for (const { pendingCounts, reason } of dropped) tracker.drop(pendingCounts, reason);
  const answers = groups.map((group) => append(group, options));
  // What becomes a dead letter has ended when the sinks that could encode it have it too.
  const partial = answers.filter((_, at) => groups[at]?.counts === undefined);
  groups.forEach((group, at) => {
    const own = answers.slice(at, at + 1);
    if (group.counts === undefined) return;
    tracker.follow(group, group.outcome === 'deadLettered' ? [...partial, ...own] : own);
  });
  return answers;
}

function append({ items, outcome, counts }: EntryGroup, { queue, logger }: EnqueueOptions): Answer {
  try {
    return queue.append(items, counts && { outcome, counts });
  } catch (error) {
    logger.error({ err: error }, 'Failed to queue entries; events dropped');
    const lost = Promise.reject(new Error('The queue refused the entries.', { cause: error }));
    lost.catch(() => undefined);
    return { accepted: undefined, safe: lost, refused: true };
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
