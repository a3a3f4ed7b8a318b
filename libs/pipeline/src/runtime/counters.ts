import type { PipelineMeter } from './meter.js';
import type { PipelineCounts } from './types.js';

/** Counts of a pipeline; every event is counted in once and out once, however many sinks there are. */
export class PipelineCounters {
  #received = 0;
  #receivedBytes = 0;
  #delivered = 0;
  #deadLettered = 0;
  #filtered = 0;
  #dropped = 0;
  #inFlight = 0;
  #recovered = 0;
  readonly #byType = new Map<string, number>();
  readonly #byCode = new Map<string, number>();
  /** Events by type, and codes, that sinks have put into the dead letters and that were not counted yet. */
  readonly #refused = new Map<string, Map<string, number>>();

  constructor(private readonly meter: PipelineMeter) {}

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Events that reached their end: in a sink or in the dead letters. */
  get written(): number {
    return this.#delivered + this.#deadLettered;
  }

  received(events: number, bytes: number): void {
    this.#received += events;
    this.#receivedBytes += bytes;
    this.#inFlight += events;
    this.meter.received(events, bytes);
  }

  /** Events end as delivered, except for those of their type that a sink has refused before. */
  delivered(type: string, events: number): void {
    const stored = events - this.#countRefused(type, events);
    if (stored > 0) this.#countDelivered(type, stored);
  }

  /**
   * Of the next events of a type that end, these many are dead letters and not delivered. A queue knows entries, not
   * their rows: so the host says this before it commits the entries that they are in.
   */
  refusedBySink(type: string, codes: ReadonlyMap<string, number>): void {
    const waiting = this.#refused.get(type) ?? new Map<string, number>();
    for (const [code, events] of codes) add(waiting, code, events);
    if (waiting.size > 0) this.#refused.set(type, waiting);
  }

  #countRefused(type: string, events: number): number {
    const waiting = this.#refused.get(type);
    if (waiting === undefined) return 0;
    let left = events;
    for (const [code, count] of waiting) {
      const some = Math.min(left, count);
      left -= some;
      if (some > 0) this.deadLettered(code, some);
      if (some === count) waiting.delete(code);
      else waiting.set(code, count - some);
    }
    if (waiting.size === 0) this.#refused.delete(type);
    return events - left;
  }

  #countDelivered(type: string, events: number): void {
    this.#delivered += events;
    this.#inFlight -= events;
    add(this.#byType, type, events);
    this.meter.delivered(type, events);
  }

  deadLettered(code: string, events: number): void {
    this.#deadLettered += events;
    this.#inFlight -= events;
    add(this.#byCode, code, events);
    this.meter.deadLettered(code, events);
  }

  /** A step has removed events. */
  filtered(events: number): void {
    this.#filtered += events;
    this.#inFlight -= events;
    this.meter.filtered(events);
  }

  dropped(reason: string, events: number): void {
    this.#dropped += events;
    this.#inFlight -= events;
    this.meter.dropped(reason, events);
  }

  /** Events of an earlier run, which had counted them as received, are written. */
  recovered(events: number): void {
    this.#recovered += events;
    this.meter.recovered(events);
  }

  snapshot(): PipelineCounts {
    return {
      received: this.#received,
      receivedBytes: this.#receivedBytes,
      delivered: this.#delivered,
      deadLettered: this.#deadLettered,
      filtered: this.#filtered,
      dropped: this.#dropped,
      inFlight: this.#inFlight,
      recovered: this.#recovered,
      deliveredByType: Object.fromEntries(this.#byType),
      deadLettersByCode: Object.fromEntries(this.#byCode),
    };
  }
}

function add(counts: Map<string, number>, key: string, events: number): void {
  counts.set(key, (counts.get(key) ?? 0) + events);
}
