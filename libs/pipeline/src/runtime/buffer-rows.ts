import {
  asyncScheduler,
  Observable,
  type OperatorFunction,
  type SchedulerLike,
  type Subscription,
} from 'rxjs';
import { MAX_SINK_BATCH_BYTES, type DestinationQueue } from './destination-queue.js';

/** When a destination has a sink batch to give. */
export interface RowLimits {
  readonly now: number;
  /** Rows of one write. */
  readonly maxRows: number;
  /** Age of an entry at which it has to go, ms. */
  readonly maxAgeMs: number;
  /** Whether sources wait for room. */
  readonly pressure: boolean;
}

/** Batches of one destination that are announced at a time: enough to keep every writer busy, however much waits. */
const MAX_ANNOUNCED = 64;

/**
 * Groups rows that wait in queues into sink batches. By rows, it is `bufferCount(limits.maxRows)` and, from the receipt of
 * the oldest event on, `bufferTime(limits.maxAgeMs)` in one, over limits that may change. A batch also closes at its bytes,
 * under pressure when no other of its destination is out, and at the end. The rows stay where they are: what is emitted,
 * once for each batch, is the destination that has one, and who takes it gets all that is there by then.
 * @param limits asked for each change of a queue, so that changes hold at once
 */
export function bufferRows(
  limits: () => RowLimits,
  scheduler: SchedulerLike = asyncScheduler,
): OperatorFunction<DestinationQueue, string> {
  return (changes) =>
    new Observable<string>((subscriber) => {
      const announcer = new Announcer(limits, scheduler, (destination) => subscriber.next(destination));
      subscriber.add(() => announcer.close());
      return changes.subscribe({
        next: (queue) => announcer.look(queue),
        error: (error) => subscriber.error(error),
        complete: () => subscriber.complete(),
      });
    });
}

/** Looks at queues when they change and when the oldest of their entries has waited its time. */
class Announcer {
  readonly #timers = new Map<DestinationQueue, { readonly due: number; readonly timer: Subscription }>();

  constructor(
    private readonly limits: () => RowLimits,
    private readonly scheduler: SchedulerLike,
    private readonly emit: (destination: string) => void,
  ) {}

  look(queue: DestinationQueue): void {
    const limits = this.limits();
    const fresh = batchesReady(queue, limits) - queue.announced;
    if (fresh > 0) {
      // Subscribers may take within `emit`: so the number is settled before the first one is told.
      queue.announced += fresh;
      for (let n = 0; n < fresh; n += 1) this.emit(queue.destination);
    }
    if (queue.oldest === undefined || queue.announced > 0 || queue.failing.size > 0) return;
    this.#lookAgain(queue, queue.oldest + limits.maxAgeMs, limits.now);
  }

  close(): void {
    for (const { timer } of this.#timers.values()) timer.unsubscribe();
    this.#timers.clear();
  }

  #lookAgain(queue: DestinationQueue, due: number, now: number): void {
    const set = this.#timers.get(queue);
    if (set !== undefined && set.due <= due) return;
    set?.timer.unsubscribe();
    const look = (): void => {
      this.#timers.delete(queue);
      this.look(queue);
    };
    this.#timers.set(queue, { due, timer: this.scheduler.schedule(look, Math.max(1, due - now)) });
  }
}

/** How many batches of a destination could be taken now; `MAX_ANNOUNCED` at most. */
function batchesReady(queue: DestinationQueue, limits: RowLimits): number {
  if (queue.failing.size > 0) return 0;
  return Math.min(MAX_ANNOUNCED, queue.resealed + batchesWaiting(queue, limits));
}

function batchesWaiting(
  { oldest, rows, bytes, out, closing }: DestinationQueue,
  { now, maxRows, maxAgeMs, pressure }: RowLimits,
): number {
  if (oldest === undefined) return 0;
  const full = Math.max(Math.floor(rows / maxRows), Math.floor(bytes / MAX_SINK_BATCH_BYTES));
  if (full > 0) return full;
  // An oldest one from the future: the clock was set back, and nobody knows how long it has waited.
  if (closing || now - oldest >= maxAgeMs || oldest > now) return 1;
  // One at a time under pressure: what comes while it is written makes the next one larger.
  return pressure && out === 0 ? 1 : 0;
}
