import { Subject, type Observable } from 'rxjs';
import type { DestinationQueue, LaneConditions } from './destination-queue.js';

/** Lanes of some sinks, and who is told when one of them has a batch to give. */
export class ReadyDestinations<L extends DestinationQueue> {
  readonly #sinks: ReadonlyMap<string, { readonly ready: Subject<string>; readonly lanes: Map<string, L> }>;
  #closing = false;

  /**
   * @param conditions asked each time, so that changes hold at once; call `recheck` after one
   * @param make       makes the lane of a sink and destination
   */
  constructor(
    sinks: readonly string[],
    private readonly conditions: () => LaneConditions,
    private readonly make: (sink: string, destination: string) => L,
  ) {
    this.#sinks = new Map(
      sinks.map((name) => [name, { ready: new Subject<string>(), lanes: new Map<string, L>() }]),
    );
  }

  /** Whether nothing more will be appended. */
  get closing(): boolean {
    return this.#closing;
  }

  has(sink: string): boolean {
    return this.#sinks.has(sink);
  }

  /** As `EntryQueue.ready`. */
  ready(sink: string): Observable<string> {
    return this.#sink(sink).ready.asObservable();
  }

  /** The lane of a sink and destination; made if there is none. */
  lane(sink: string, destination: string): L {
    const { lanes } = this.#sink(sink);
    let lane = lanes.get(destination);
    if (lane === undefined) lanes.set(destination, (lane = this.make(sink, destination)));
    return lane;
  }

  *all(): Iterable<L> {
    for (const { lanes } of this.#sinks.values()) yield* lanes.values();
  }

  /** Announces what is ready, and comes back when the oldest entry will have waited its time. */
  check(lane: L, conditions = this.conditions()): void {
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
      this.check(lane);
    }, wait);
  }

  recheck(): void {
    for (const lane of this.all()) {
      clearTimeout(lane.timer);
      lane.timer = undefined;
      this.check(lane);
    }
  }

  /** Nothing more will be appended: what is left is ready at once. */
  close(): void {
    this.#closing = true;
    this.recheck();
  }

  /** Everything is committed: nothing more will be ready. */
  complete(): void {
    for (const { ready } of this.#sinks.values()) ready.complete();
  }

  destroy(): void {
    for (const { lanes } of this.#sinks.values()) {
      for (const lane of lanes.values()) clearTimeout(lane.timer);
      lanes.clear();
    }
    this.complete();
  }

  #sink(name: string): { readonly ready: Subject<string>; readonly lanes: Map<string, L> } {
    const sink = this.#sinks.get(name);
    if (sink === undefined) throw new Error(`The queue has no sink "${name}".`);
    return sink;
  }
}
