import { deadLetters, type Logger, type StreamRange } from '../api/index.js';
import { applySteps, type Step } from './apply-steps.js';
import type { BatchSlice, ProcessingBatch } from './batch-events.js';
import { DeadLetterGroup } from './dead-letter-group.js';
import { encodeGroup, type EncodeFailure, type Encoder } from './encode-group.js';
import { EntryAccumulator } from './entry-accumulator.js';
import { OpenGroup } from './open-group.js';
import { DROP_REASONS } from './pending-batch.js';
import type { Appended, EntryQueue, QueueItem, OutcomeCounts } from './queue.js';
import { halves, RecordGroups, undecodedReject, type RecordGroup } from './record-groups.js';
import type { BatchTracker, PendingCount } from './batch-tracker.js';

/** What a processor works with. */
export interface ProcessorOptions {
  readonly pipeline: string;
  readonly steps: readonly Step[];
  /** All sinks. */
  readonly sinks: readonly Encoder[];
  /** The one of them that takes the dead letters. */
  readonly deadLetters: Encoder;
  /** `<gateway id>/<epoch>`, the first part of entry ids. */
  readonly idPrefix: string;
  readonly queue: Pick<EntryQueue, 'append' | 'streams'>;
  readonly tracker: Pick<BatchTracker, 'follow' | 'drop'>;
  /** Rows of a sink batch, which an entry must not be beyond; asked each time. */
  readonly sinkBatchRows: () => number;
  readonly logger: Logger;
}

interface Decoded {
  readonly groups: readonly RecordGroup[];
  readonly deadLetters: DeadLetterGroup;
  /** Events that steps have removed without a reject. */
  readonly discarded: readonly PendingCount[];
}

/** What is to be done with one event that a sink cannot encode. */
type Refuse = (group: RecordGroup, failures: readonly EncodeFailure[], appended: readonly Appended[]) => void;

/**
 * Records of one entry at most, where a sink batch may have as many. ClickHouse spends 2.5 us a row on reading blocks of 100
 * rows with 33 columns, and 0.5 us on such of 1,000; what an entry costs the spool is 0.05 to 0.2 us less a row at 2,000.
 */
const MAX_ROWS = 2_000;
/** Raw bytes that are gathered at most: an entry of large records must not be of many MiB. */
const MAX_BYTES = 1024 * 1024;
/** Least time from one entry to the next, ms, as between two flushes of a spool that is not busy; after a pause there is no wait. */
const GATHER_MS = 10;

/** One job: steps, grouping by event type, encoding, queueing. Every event leaves it for the queue or is dropped. */
export class Processor {
  /** A new one each time: one that was used again would, once old, keep what it has held from young collections. */
  #accumulator: EntryAccumulator;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #flushedAt = -Infinity;
  /** The queue has not taken what it was given yet. */
  #waiting: Promise<void> | undefined;
  /** Whether the queue refused something of what is being encoded. */
  #refused = false;

  constructor(private readonly options: ProcessorOptions) {
    this.#accumulator = this.#gather();
  }

  /**
   * Decodes and encodes a processing batch, which is queued with those that come shortly after it. Returns what resolves when the
   * queue has taken what it was given before; `undefined` when it has. That is the usual case, and a promise in its place
   * lets sources run ahead: events that wait for their turn as objects are what garbage collection has to copy (half of
   * all time at 100 events a batch). Does not throw.
   */
  process(parts: ProcessingBatch): Promise<void> | undefined {
    const pendingCounts = parts.map(({ batch, pendingBatch }) => ({ pendingBatch, count: batch.size }));
    let decoded: Decoded;
    try {
      decoded = this.#decode(parts);
    } catch (error) {
      this.options.logger.error(
        { error: nameOf(error) },
        'a processing batch failed, its events are dropped',
      );
      this.options.tracker.drop(pendingCounts, DROP_REASONS.internal);
      return undefined;
    }
    const { groups, deadLetters, discarded } = decoded;
    if (discarded.length > 0) this.options.tracker.drop(discarded, DROP_REASONS.discarded);
    const rows = groups.reduce((sum, { records }) => sum + records.length, deadLetters.records.length);
    const most = Math.min(MAX_ROWS, this.options.sinkBatchRows());
    if (this.#accumulator.rows + rows > most) this.flush();
    this.#accumulator.add(groups, deadLetters, rows, parts);
    // A queue in memory would not have let them wait for a flush.
    const atOnce = this.options.queue.streams === undefined;
    if (atOnce || this.#accumulator.rows >= most || this.#accumulator.bytes >= MAX_BYTES) this.flush();
    else this.#flushSoon();
    return this.#waiting;
  }

  /** Queues what was gathered. Does not throw. */
  flush(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#timer = this.#immediate = undefined;
    if (this.#accumulator.empty) return;
    this.#flushedAt = performance.now();
    const gathered = this.#accumulator;
    this.#accumulator = this.#gather();
    let accepted: Promise<void>[];
    try {
      accepted = this.#queueAll(gathered);
    } catch (error) {
      this.options.logger.error({ error: nameOf(error) }, 'events could not be queued, they are dropped');
      this.options.tracker.drop(gathered.runs, DROP_REASONS.internal);
      return;
    }
    if (accepted.length === 0) return;
    const waiting = Promise.allSettled(accepted).then(() => {
      if (this.#waiting === waiting) this.#waiting = undefined;
    });
    this.#waiting = waiting;
  }

  #gather(): EntryAccumulator {
    const { pipeline, sinks, idPrefix } = this.options;
    return new EntryAccumulator(pipeline, (type) => new OpenGroup(type, sinks, idPrefix));
  }

  #flushSoon(): void {
    if (this.#timer !== undefined || this.#immediate !== undefined) return;
    const early = this.#flushedAt + GATHER_MS - performance.now();
    if (early > 1) this.#timer = setTimeout(() => this.flush(), early);
    else this.#immediate = setImmediate(() => this.flush());
  }

  /** Queues everything, and lets the queue remember with it which ranges of streams that was. */
  #queueAll(gathered: EntryAccumulator): Promise<void>[] {
    const { streams } = this.options.queue;
    let accepted: Promise<void>[] = [];
    this.#refused = false;
    if (streams === undefined) return this.#queueEach(gathered);
    streams.atomically(() => {
      accepted = this.#queueEach(gathered);
      return this.#refused ? [] : storedRanges(gathered.parts);
    });
    return accepted;
  }

  /** Queues everything; returns what tells when the queue has taken what it has not taken at once. */
  #queueEach({ open, unencodable, deadLetters }: EntryAccumulator): Promise<void>[] {
    const { sinks, deadLetters: letterSink, tracker } = this.options;
    const accepted: Promise<void>[] = [];
    const refused: EncodeFailure[] = [];
    const lost: EncodeFailure[] = [];
    for (const group of open) this.#finish(group, accepted);
    for (const group of unencodable) {
      this.#enqueue(group, sinks, [], accepted, (one, failures, appended) => {
        refused.push(...failures);
        addRefused(deadLetters, one, failures, appended);
      });
    }
    this.#enqueue(deadLetters, [letterSink], deadLetters.alsoAppended, accepted, (one, failures) => {
      lost.push(...failures);
      tracker.drop(one.runs, DROP_REASONS.deadLetter);
    });
    this.#log('warn', refused, 'events that a sink could not encode go to the dead letters');
    this.#log('error', lost, 'dead letters that the sink could not encode are dropped');
    return accepted;
  }

  #decode(parts: ProcessingBatch): Decoded {
    const { steps, pipeline } = this.options;
    const groups = new RecordGroups();
    const deadLetters = new DeadLetterGroup(pipeline);
    const discarded: PendingCount[] = [];
    let undecoded = 0;
    for (const part of parts) {
      const { batch, pendingBatch } = part;
      const { size } = batch;
      applySteps(batch, steps, this.#logStepFailure);
      const missing = size - batch.size;
      if (missing > 0) discarded.push({ pendingBatch, count: missing });
      undecoded += this.#group(part, groups, deadLetters);
    }
    if (undecoded > 0) {
      this.options.logger.warn({ count: undecoded }, 'nam writer: unknown activity type, dropped');
    }
    return { groups: groups.list(), deadLetters, discarded };
  }

  /** Moves a part's events into groups; returns how many no step has decoded. */
  #group(part: BatchSlice, groups: RecordGroups, deadLetters: DeadLetterGroup): number {
    const { batch, pendingBatch } = part;
    const { origin, receivedAt } = batch;
    const undecoded = groups.add(part);
    for (const event of undecoded) batch.rejects.push(undecodedReject(event));
    deadLetters.add(batch.rejects, { origin, receivedAt, pendingBatch });
    // What is encoded need not stay in memory as objects until it is settled.
    batch.events = [];
    batch.rejects.length = 0;
    return undecoded.length;
  }

  /** Queues a group that is encoded. */
  #finish(group: OpenGroup, accepted: Promise<void>[]): void {
    const { runs, type, rows } = group;
    let items: readonly QueueItem[];
    try {
      items = group.finish();
    } catch (error) {
      this.options.logger.error(
        { error: nameOf(error) },
        'an entry could not be ended, its events are dropped',
      );
      this.options.logger.debug({ err: error }, 'why the entry could not be ended');
      this.options.tracker.drop(runs, DROP_REASONS.internal);
      return;
    }
    if (items.length === 0) return;
    const tally: OutcomeCounts = { outcome: 'delivered', counts: new Map([[type.name, rows]]) };
    const appended = this.#append(items, tally, accepted);
    this.options.tracker.follow({ outcome: tally.outcome, pendingCounts: runs }, [appended]);
  }

  /** Encodes a group and queues it. One bad event must not take the others along: a group that fails is halved. */
  #enqueue(
    group: RecordGroup,
    sinks: readonly Encoder[],
    also: readonly Appended[],
    accepted: Promise<void>[],
    refuse: Refuse,
  ): void {
    if (group.records.length === 0) return;
    const { items, failures } = encodeGroup(group, sinks, this.options.idPrefix);
    if (failures.length > 0 && group.records.length > 1) {
      for (const half of halves(group)) this.#enqueue(half, sinks, also, accepted, refuse);
      return;
    }
    const failed = failures.length > 0;
    // What becomes a dead letter is counted as one, and not a second time for the sinks that could encode it.
    const tally = failed ? undefined : tallyOf(group);
    const appended = items.length === 0 ? also : [...also, this.#append(items, tally, accepted)];
    if (tally === undefined) refuse(group, failures, appended);
    else this.options.tracker.follow({ outcome: tally.outcome, pendingCounts: group.runs }, appended);
  }

  #append(
    items: readonly QueueItem[],
    tally: OutcomeCounts | undefined,
    accepted: Promise<void>[],
  ): Appended {
    try {
      const appended = this.options.queue.append(items, tally);
      if (appended.accepted !== undefined) accepted.push(appended.accepted);
      return appended;
    } catch (error) {
      this.options.logger.error({ err: error }, 'the queue refused entries, their events are dropped');
      this.#refused = true;
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
    this.options.logger[level]({ sink, count: failures.length, error: nameOf(error) }, message);
    this.options.logger.debug({ sink, err: error }, 'why the sink could not encode');
  }

  readonly #logStepFailure = (step: Step, error: unknown): void => {
    const fields = { step: step.name, error: nameOf(error) };
    this.options.logger.error(fields, 'a step failed, its batch goes to the dead letters');
    this.options.logger.debug({ step: step.name, err: error }, 'why a step failed');
  };
}

/** Stretches of streams of which nothing was dropped: what was must be taken when it is sent again. */
function storedRanges(parts: ProcessingBatch): StreamRange[] {
  const ranges: StreamRange[] = [];
  for (const { batch, pendingBatch } of parts) {
    if (batch.stream !== undefined && !pendingBatch.lossy) ranges.push(batch.stream);
  }
  return ranges;
}

/** Makes a dead letter of a group of one event. */
function addRefused(
  deadLetters: DeadLetterGroup,
  { runs: [run], sources: [source] }: RecordGroup,
  failures: readonly EncodeFailure[],
  appended: readonly Appended[],
): void {
  if (run === undefined || source === undefined) return;
  const { raw } = source;
  const names = failures.map(({ sink }) => sink).join(', ');
  const message = `The sink ${names} could not encode the event.`;
  deadLetters.add([{ stage: 'sink', code: 'encode_failed', field: '', message, raw }], run);
  deadLetters.alsoAppended.push(...appended);
}

function tallyOf({ type, records }: RecordGroup): OutcomeCounts {
  if (type !== deadLetters) return { outcome: 'delivered', counts: new Map([[type.name, records.length]]) };
  const counts = new Map<string, number>();
  for (const record of records) {
    const code = record.code as string;
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return { outcome: 'deadLettered', counts };
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
