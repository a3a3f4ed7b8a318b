import { Subject, type Observable } from 'rxjs';
import type { DestinationQueue } from './destination-queue.js';
import type {
  Appended,
  EntryQueue,
  OutcomeCounts,
  QueueEvents,
  QueueItem,
  QueueStats,
  SinkBatch,
} from './queue.js';

/** What every queue is made from. */
export interface BaseQueueOptions {
  /** Names of the sinks. */
  readonly sinks: readonly string[];
  /** `<gateway id>/<epoch>`, the first part of entry ids and tokens. */
  readonly idPrefix: string;
  /** Asked each time, so that changes hold at once; call `recheck` after one. */
  readonly conditions: () => { readonly now: number; readonly maxRows: number };
  readonly events: QueueEvents;
}

/** A batch that was taken, as its queue knows it. */
export interface TakenBatch {
  readonly batch: SinkBatch;
}

/** What the queues in memory and on disk have in common: destinations, batches that are out, and who is told of changes. */
export abstract class BaseQueue<D extends DestinationQueue, T extends TakenBatch> implements EntryQueue {
  readonly #sinks: ReadonlyMap<string, { readonly changes: Subject<D>; readonly queues: Map<string, D> }>;
  readonly #out = new Map<string, { readonly from: D; readonly taken: T }>();
  #closing = false;

  constructor(protected readonly options: BaseQueueOptions) {
    this.#sinks = new Map(
      options.sinks.map((name) => [name, { changes: new Subject<D>(), queues: new Map<string, D>() }]),
    );
  }

  abstract open(signal: AbortSignal): Promise<void>;
  abstract append(items: readonly QueueItem[], tally?: OutcomeCounts): Appended;
  abstract stats(): QueueStats;

  /** Makes the queue of a destination that has none yet. */
  protected abstract make(sink: string, destination: string): D;
  /** Seals the next batch of a destination; `undefined` when nothing is left. */
  protected abstract seal(from: D, maxRows: number): Promise<T | undefined>;
  /** Removes a batch that is written, and appends the dead letters of its rows. */
  protected abstract remove(taken: T, from: D, deadLetters: readonly QueueItem[]): Promise<void>;

  changes(sink: string): Observable<DestinationQueue> {
    return this.#sink(sink).changes.asObservable();
  }

  async take(sink: string, destination: string): Promise<SinkBatch | undefined> {
    const from = this.queue(sink, destination);
    from.announced = Math.max(0, from.announced - 1);
    if (from.failing.size > 0) return undefined;
    from.out += 1;
    const taken = await this.seal(from, this.options.conditions().maxRows);
    if (taken === undefined) {
      from.out -= 1;
      this.completeIfEmpty();
      return undefined;
    }
    this.#out.set(taken.batch.token, { from, taken });
    this.changed(from);
    return taken.batch;
  }

  async commit({ token }: SinkBatch, deadLetters: readonly QueueItem[] = []): Promise<void> {
    const out = this.#out.get(token);
    if (out === undefined) return;
    const { from, taken } = out;
    this.#out.delete(token);
    await this.remove(taken, from, deadLetters);
    from.out -= 1;
    from.failing.delete(token);
    this.changed(from);
    this.completeIfEmpty();
  }

  hold({ token }: SinkBatch): void {
    this.#out.get(token)?.from.failing.add(token);
  }

  recheck(): void {
    for (const queue of this.queues()) this.changed(queue);
  }

  close(): void {
    this.#closing = true;
    for (const queue of this.queues()) queue.closing = true;
    this.recheck();
    this.completeIfEmpty();
  }

  async destroy(): Promise<void> {
    this.#complete();
    for (const { queues } of this.#sinks.values()) queues.clear();
    this.#out.clear();
  }

  /** Whether the pipeline has a sink of this name. */
  protected has(sink: string): boolean {
    return this.#sinks.has(sink);
  }

  /** The queue of a sink and destination; made if there is none. */
  protected queue(sink: string, destination: string): D {
    const { queues } = this.#sink(sink);
    let queue = queues.get(destination);
    if (queue === undefined) {
      queue = this.make(sink, destination);
      queue.closing = this.#closing;
      queues.set(destination, queue);
    }
    return queue;
  }

  /** All of them. */
  protected queues(): D[] {
    return [...this.#sinks.values()].flatMap(({ queues }) => [...queues.values()]);
  }

  /** Batches that were taken and not committed yet. */
  protected taken(): T[] {
    return [...this.#out.values()].map(({ taken }) => taken);
  }

  /** Tells that something of a destination has changed. */
  protected changed(queue: D): void {
    this.#sink(queue.sink).changes.next(queue);
  }

  /** Whether nothing waits or is out. */
  protected get empty(): boolean {
    return this.queues().every(({ oldest, resealed, out }) => oldest === undefined && resealed + out === 0);
  }

  protected completeIfEmpty(): void {
    if (this.#closing && this.empty) this.#complete();
  }

  /** When an item was received; not in the future, by a clock set back, which would make its entry wait. */
  protected receivedAt({ receivedAt }: QueueItem): number {
    return Math.min(receivedAt, this.options.conditions().now);
  }

  #complete(): void {
    for (const { changes } of this.#sinks.values()) changes.complete();
  }

  #sink(name: string): { readonly changes: Subject<D>; readonly queues: Map<string, D> } {
    const sink = this.#sinks.get(name);
    if (sink === undefined) throw new Error(`The queue has no sink "${name}".`);
    return sink;
  }
}
