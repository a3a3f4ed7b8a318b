import {
  asyncScheduler,
  Observable,
  type OperatorFunction,
  type SchedulerLike,
  type Subscription,
} from 'rxjs';
import { Batch } from '../api/index.js';
import type { PendingBatch } from './pending-batch.js';

/** A source batch, or a range of its messages, with what is open of the whole. */
export interface BatchSlice {
  readonly batch: Batch;
  readonly pendingBatch: PendingBatch;
}

/** What is parsed and encoded together; at most `batchSize` events. */
export type ProcessingBatch = readonly BatchSlice[];

/** When a processing batch is closed. */
export interface EventLimits {
  /** Events, rejects included. */
  readonly events: number;
  /** Time since its first event, ms. */
  readonly lingerMs: number;
}

/** Timers by a clock that nobody sets: a correction of the system's time must not hold events up. */
const MONOTONIC: SchedulerLike = {
  now: () => performance.now(),
  schedule: asyncScheduler.schedule.bind(asyncScheduler),
};

/**
 * Groups source batches into processing batches. By events, it is `bufferCount(limits.events)` and, from the first event
 * on, `bufferTime(limits.lingerMs)` in one, over limits that may change. A source batch that does not fit is cut. There is
 * one emission for each processing batch, never an empty one.
 * @param limits asked for each source batch, so that changes hold at once
 */
export function bufferEvents(
  limits: () => EventLimits,
  scheduler: SchedulerLike = MONOTONIC,
): OperatorFunction<BatchSlice, ProcessingBatch> {
  return (source) =>
    new Observable<ProcessingBatch>((subscriber) => {
      const buffer = new EventBuffer(limits, scheduler, (batch) => subscriber.next(batch));
      subscriber.add(() => buffer.close());
      return source.subscribe({
        next: (slice) => buffer.add(slice),
        error: (error) => subscriber.error(error),
        complete: () => {
          buffer.flush();
          subscriber.complete();
        },
      });
    });
}

/** What has come of the processing batch that is not closed yet. */
class EventBuffer {
  #slices: BatchSlice[] = [];
  #size = 0;
  #since = 0;
  #timer: Subscription | undefined;

  constructor(
    private readonly limits: () => EventLimits,
    private readonly scheduler: SchedulerLike,
    private readonly emit: (batch: ProcessingBatch) => void,
  ) {}

  add(slice: BatchSlice): void {
    const { events, lingerMs } = this.limits();
    if (this.#size >= events) this.flush();
    for (const piece of cut(slice, events - this.#size, events)) {
      if (this.#size === 0) this.#since = this.scheduler.now();
      this.#slices.push(piece);
      this.#size += piece.batch.size;
      if (this.#size >= events) this.flush();
    }
    if (this.#size > 0) this.#timer ??= this.scheduler.schedule(this.#look, lingerMs);
  }

  flush(): void {
    if (this.#size === 0) return;
    const batch = this.#slices;
    this.#slices = [];
    this.#size = 0;
    this.emit(batch);
  }

  close(): void {
    this.#timer?.unsubscribe();
  }

  /** The timer is not set again for each batch: under load there are thousands in a second, and none of them waits. */
  readonly #look = (): void => {
    this.#timer = undefined;
    if (this.#size === 0) return;
    const left = this.#since + this.limits().lingerMs - this.scheduler.now();
    if (left >= 1) this.#timer = this.scheduler.schedule(this.#look, left);
    else this.flush();
  };
}

/** Cuts a part into a first piece of at most `first` and others of at most `rest` events; mostly there is one. */
function cut(part: BatchSlice, first: number, rest: number): BatchSlice[] {
  const { batch, pendingBatch } = part;
  const { size } = batch;
  // Rejects stand apart from events: a piece of such a batch would be no stretch of its stream.
  const whole = batch.stream !== undefined && batch.rejects.length > 0;
  if (size <= first || whole) return [part];
  const pieces: BatchSlice[] = [];
  for (let from = 0, to = first; from < size; from = to, to = Math.min(size, from + rest)) {
    pieces.push({ batch: range(batch, from, to), pendingBatch });
  }
  // The pieces have it all now: what the whole still held would stay in memory until it is settled.
  batch.events = [];
  batch.rejects.length = 0;
  return pieces;
}

/** Messages `from` to `to` of a batch as a batch of their own; its rejects come first. */
function range(batch: Batch, from: number, to: number): Batch {
  const { origin, receivedAt, bytes, events, rejects, size, stream } = batch;
  const share = Math.round((bytes * (to - from)) / size);
  const shift = rejects.length;
  return new Batch(
    origin,
    receivedAt,
    share,
    to > shift ? events.slice(Math.max(0, from - shift), to - shift) : [],
    from < shift ? rejects.slice(from, to) : [],
    stream && { ...stream, first: stream.first + from, last: stream.first + to - 1 },
  );
}
