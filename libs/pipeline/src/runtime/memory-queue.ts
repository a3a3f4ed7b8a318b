import { Subject, type Observable } from 'rxjs';
import { Lane, type LaneConditions, type QueuedItem } from './lane.js';
import type { Appended, EntryQueue, QueueItem, QueueStats, SinkBatch } from './queue.js';

/** What a queue in memory is made from. */
export interface MemoryQueueOptions {
  /** Names of the sinks. */
  readonly sinks: readonly string[];
  /** `<gateway id>/<epoch>`, the first part of tokens. */
  readonly tokenPrefix: string;
  /** Asked each time, so that changes hold at once; call `recheck` after one. */
  readonly conditions: () => LaneConditions;
}

const ACCEPTED = Promise.resolve();

/** Entries in memory: bounded by the credit gate, lost with the process. So they are safe only when they are written. */
export class MemoryQueue implements EntryQueue {
  readonly #sinks: ReadonlyMap<
    string,
    { readonly ready: Subject<string>; readonly lanes: Map<string, Lane> }
  >;
  readonly #out = new Map<string, { readonly batch: SinkBatch; readonly items: readonly QueuedItem[] }>();
  #closing = false;
  #entries = 0;
  #rows = 0;
  #bytes = 0;

  constructor(private readonly options: MemoryQueueOptions) {
    this.#sinks = new Map(
      options.sinks.map((name) => [name, { ready: new Subject<string>(), lanes: new Map<string, Lane>() }]),
    );
  }

  append(items: readonly QueueItem[]): Appended {
    let resolve = (): void => undefined;
    const written = new Promise<void>((done) => (resolve = done));
    const group = { left: items.length, resolve };
    if (items.length === 0) resolve();
    const conditions = this.options.conditions();
    for (const item of items) {
      const lane = this.#lane(item.sink, item.entry.destination);
      // A receipt in the future, by a clock set back, must not make the entry wait.
      lane.push({ item, group, receivedAt: Math.min(item.receivedAt, conditions.now) });
      this.#count(item, 1);
      this.#check(lane, conditions);
    }
    return { accepted: ACCEPTED, safe: written, written };
  }

  ready(sink: string): Observable<string> {
    return this.#sink(sink).ready.asObservable();
  }

  take(sink: string, destination: string): SinkBatch | undefined {
    const lane = this.#lane(sink, destination);
    lane.announced = Math.max(0, lane.announced - 1);
    if (lane.failing.size > 0) return undefined;
    const items = lane.takeUpTo(this.options.conditions().maxRows);
    if (items.length === 0) return undefined;
    const batch = this.#freeze(sink, destination, items);
    this.#out.set(batch.token, { batch, items });
    lane.out += 1;
    this.#check(lane);
    return batch;
  }

  commit(batch: SinkBatch): Promise<void> {
    const out = this.#out.get(batch.token);
    if (out === undefined) return ACCEPTED;
    this.#out.delete(batch.token);
    for (const { item, group } of out.items) {
      this.#count(item, -1);
      group.left -= 1;
      if (group.left === 0) group.resolve();
    }
    const lane = this.#lane(batch.sink, batch.destination);
    lane.out -= 1;
    lane.failing.delete(batch.token);
    this.#check(lane);
    this.#completeIfEmpty();
    return ACCEPTED;
  }

  hold(batch: SinkBatch): void {
    this.#lane(batch.sink, batch.destination).failing.add(batch.token);
  }

  recheck(): void {
    for (const { lanes } of this.#sinks.values()) {
      for (const lane of lanes.values()) {
        clearTimeout(lane.timer);
        lane.timer = undefined;
        this.#check(lane);
      }
    }
  }

  close(): void {
    this.#closing = true;
    this.recheck();
    this.#completeIfEmpty();
  }

  destroy(): void {
    for (const { ready, lanes } of this.#sinks.values()) {
      for (const lane of lanes.values()) clearTimeout(lane.timer);
      lanes.clear();
      ready.complete();
    }
    this.#out.clear();
    this.#entries = this.#rows = this.#bytes = 0;
  }

  stats(): QueueStats {
    const now = this.options.conditions().now;
    let oldest = now;
    for (const { batch } of this.#out.values()) oldest = Math.min(oldest, batch.receivedAt);
    for (const { lanes } of this.#sinks.values()) {
      for (const lane of lanes.values()) oldest = Math.min(oldest, lane.oldest ?? now);
    }
    return { entries: this.#entries, rows: this.#rows, bytes: this.#bytes, oldestMs: now - oldest };
  }

  #sink(name: string): { readonly ready: Subject<string>; readonly lanes: Map<string, Lane> } {
    const sink = this.#sinks.get(name);
    if (sink === undefined) throw new Error(`The queue has no sink "${name}".`);
    return sink;
  }

  #lane(sink: string, destination: string): Lane {
    const { lanes } = this.#sink(sink);
    let lane = lanes.get(destination);
    if (lane === undefined) lanes.set(destination, (lane = new Lane(sink, destination)));
    return lane;
  }

  /** Announces what is ready, and comes back when the oldest entry will have waited its time. */
  #check(lane: Lane, conditions = this.options.conditions()): void {
    const fresh = lane.batchesReady(conditions, this.#closing) - lane.announced;
    if (fresh > 0) {
      // Subscribers may take within `next`: so the number is settled before the first one is told.
      lane.announced += fresh;
      const { ready } = this.#sink(lane.sink);
      for (let n = 0; n < fresh; n += 1) ready.next(lane.destination);
    }
    if (lane.oldest === undefined || lane.timer !== undefined || lane.announced > 0) return;
    if (lane.failing.size > 0) return;
    const wait = Math.max(1, lane.oldest + conditions.maxAgeMs - conditions.now);
    lane.timer = setTimeout(() => {
      lane.timer = undefined;
      this.#check(lane);
    }, wait);
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
    const token = `${this.options.tokenPrefix}/${destination}/${range}`;
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
    if (!this.#closing || this.#entries > 0) return;
    for (const { ready } of this.#sinks.values()) ready.complete();
  }
}
