import type { Observable } from 'rxjs';
import type { LaneConditions } from './destination-queue.js';
import { MemoryDestinationQueue, type QueuedItem } from './memory-destination-queue.js';
import type {
  Appended,
  EntryQueue,
  QueueEvents,
  QueueItem,
  QueueStats,
  SinkBatch,
  OutcomeCounts,
} from './queue.js';
import { ReadyDestinations } from './ready-destinations.js';

/** What a queue in memory is made from. */
export interface MemoryQueueOptions {
  /** Names of the sinks. */
  readonly sinks: readonly string[];
  /** `<gateway id>/<epoch>`, the first part of tokens. */
  readonly idPrefix: string;
  /** Asked each time, so that changes hold at once; call `recheck` after one. */
  readonly conditions: () => LaneConditions;
  readonly events: Pick<QueueEvents, 'written'>;
}

const DONE = Promise.resolve();

/** Entries in memory: bounded by the credit gate, lost with the process. So they are safe only when they are written. */
export class MemoryQueue implements EntryQueue {
  readonly #lanes: ReadyDestinations<MemoryDestinationQueue>;
  readonly #out = new Map<string, { readonly batch: SinkBatch; readonly items: readonly QueuedItem[] }>();
  #entries = 0;
  #rows = 0;
  #bytes = 0;

  constructor(private readonly options: MemoryQueueOptions) {
    this.#lanes = new ReadyDestinations(
      options.sinks,
      options.conditions,
      (sink, destination) => new MemoryDestinationQueue(sink, destination),
    );
  }

  open(): Promise<void> {
    return DONE;
  }

  append(items: readonly QueueItem[], tally?: OutcomeCounts): Appended {
    let resolve = (): void => undefined;
    const safe = new Promise<void>((done) => (resolve = done));
    const written = (): void => {
      if (tally !== undefined) this.options.events.written(tally, true);
      resolve();
    };
    if (items.length === 0) written();
    this.#push(items, { left: items.length, written });
    return { accepted: undefined, safe };
  }

  #push(items: readonly QueueItem[], group: QueuedItem['group']): void {
    const conditions = this.options.conditions();
    for (const item of items) {
      const lane = this.#lanes.lane(item.sink, item.entry.destination);
      // A receipt in the future, by a clock set back, must not make the entry wait.
      lane.push({ item, group, receivedAt: Math.min(item.receivedAt, conditions.now) });
      this.#count(item, 1);
      this.#lanes.check(lane, conditions);
    }
  }

  ready(sink: string): Observable<string> {
    return this.#lanes.ready(sink);
  }

  async take(sink: string, destination: string): Promise<SinkBatch | undefined> {
    const lane = this.#lanes.lane(sink, destination);
    lane.announced = Math.max(0, lane.announced - 1);
    if (lane.failing.size > 0) return undefined;
    const items = lane.takeUpTo(this.options.conditions().maxRows);
    if (items.length === 0) return undefined;
    const batch = this.#freeze(sink, destination, items);
    this.#out.set(batch.token, { batch, items });
    lane.out += 1;
    this.#lanes.check(lane);
    return batch;
  }

  commit(batch: SinkBatch, deadLetters: readonly QueueItem[] = []): Promise<void> {
    const out = this.#out.get(batch.token);
    if (out === undefined) return DONE;
    this.#out.delete(batch.token);
    // Its events are durable when their dead letters are written too.
    const written = (): void => {
      for (const { group } of out.items) {
        group.left -= 1;
        if (group.left === 0) group.written();
      }
    };
    this.#push(deadLetters, { left: deadLetters.length, written });
    for (const { item } of out.items) this.#count(item, -1);
    if (deadLetters.length === 0) written();
    const lane = this.#lanes.lane(batch.sink, batch.destination);
    lane.out -= 1;
    lane.failing.delete(batch.token);
    this.#lanes.check(lane);
    this.#completeIfEmpty();
    return DONE;
  }

  hold(batch: SinkBatch): void {
    this.#lanes.lane(batch.sink, batch.destination).failing.add(batch.token);
  }

  recheck(): void {
    this.#lanes.recheck();
  }

  close(): void {
    this.#lanes.close();
    this.#completeIfEmpty();
  }

  async destroy(): Promise<void> {
    this.#lanes.destroy();
    this.#out.clear();
    this.#entries = this.#rows = this.#bytes = 0;
  }

  stats(): QueueStats {
    const now = this.options.conditions().now;
    let oldest = now;
    for (const { batch } of this.#out.values()) oldest = Math.min(oldest, batch.receivedAt);
    for (const lane of this.#lanes.all()) oldest = Math.min(oldest, lane.oldest ?? now);
    return { entries: this.#entries, rows: this.#rows, bytes: this.#bytes, oldestMs: now - oldest };
  }

  #freeze(sink: string, destination: string, items: readonly QueuedItem[]): SinkBatch {
    let rows = 0;
    let bytes = 0;
    let receivedAt = Infinity;
    for (const { item, receivedAt: at } of items) {
      rows += item.entry.rows;
      bytes += item.entry.bytes.byteLength;
      receivedAt = Math.min(receivedAt, at);
    }
    const range = `${items[0]?.item.sequence}-${items.at(-1)?.item.sequence}`;
    const token = `${this.options.idPrefix}/${destination}/${range}`;
    return {
      sink,
      destination,
      entries: items.map(({ item }) => item.entry),
      token,
      rows,
      bytes,
      receivedAt,
    };
  }

  #count(item: QueueItem, sign: 1 | -1): void {
    this.#entries += sign;
    this.#rows += sign * item.entry.rows;
    this.#bytes += sign * item.entry.bytes.byteLength;
  }

  #completeIfEmpty(): void {
    if (this.#lanes.closing && this.#entries === 0) this.#lanes.complete();
  }
}
