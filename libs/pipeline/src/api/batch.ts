import type { EventRecord, EventType } from './event-type.js';
import type { StreamRange } from './streams.js';

/** What is known once a connection, and therefore stands on a batch once. */
export interface Origin {
  /** Unique in the life of the gateway, for logs. */
  readonly connectionId: string;
  /** What identifies the sender, such as the hash of its key; the source has verified it. Empty where nothing does. */
  readonly sender: string;
  /** Host name of the sender; the payload cannot change it. */
  readonly senderHost: string;
  /** Canonical text of the peer's address; an IPv4-mapped IPv6 address is written as IPv4. */
  readonly sourceIp: string;
}

/**
 * One message as a source read it. `raw` is a view into the received chunk, without the line end; it may be made when it is
 * asked for, so that a copy of an event by spread has none: change the event itself, or use `createEvent`.
 */
export interface SourceEvent {
  /** Discriminator by which transforms claim it, such as `FileSystem`. */
  readonly type: string;
  /**
   * The message parsed once: an object for JSON, a string for a LEEF line. Its texts may be stretches of what was received,
   * 16 KiB of which stay in memory with each: copy what is kept for longer than the event.
   */
  readonly value: unknown;
  readonly raw: Uint8Array;
  /** Set together with `record` by the transform that decodes the event. */
  eventType: EventType | undefined;
  record: EventRecord | undefined;
}

/** Makes an event with every property present, so that all of them share one shape. */
export function createEvent(type: string, value: unknown, raw: Uint8Array): SourceEvent {
  return { type, value, raw, eventType: undefined, record: undefined };
}

/** Where an event was refused. */
export type RejectStage = 'frame' | 'parse' | 'validate' | 'sink';

/** An event that goes to the dead letters. */
export interface Reject {
  readonly stage: RejectStage;
  /** Bounded set, lower_snake_case: `missing_key`, `wrong_type`, `unknown_activity_type` ... */
  readonly code: string;
  /** JSON pointer (RFC 6901) of the field, or the empty string for the whole message. */
  readonly field: string;
  /** One sentence for people: what was wrong and what would be right. */
  readonly message: string;
  readonly raw: Uint8Array;
  /** `EventType.type` of what it would have become, where that is known. */
  readonly eventType?: string;
}

/** How a batch ended; the numbers add up to the events and rejects it was emitted with. */
export interface Settlement {
  readonly delivered: number;
  readonly deadLettered: number;
  /** Events that a step removed without a reject; set when it is not 0. */
  readonly filtered?: number;
  readonly dropped: number;
  /** Why events were dropped; set when `dropped` is not 0. */
  readonly reason?: string;
}

/** What moves through a pipeline: events of one origin, received together. */
export class Batch {
  /** Events that are neither refused nor settled yet. Transforms may shorten it, which filters events, and never lengthen it. */
  events: SourceEvent[];
  /** Refused events on their way to the dead letters. */
  readonly rejects: Reject[];
  /** Resolves once, when every event of the batch is durable, dead-lettered, filtered or dropped. Never rejects. */
  readonly settled: Promise<Settlement>;
  #resolve!: (settlement: Settlement) => void;
  #done = false;

  /**
   * @param origin     who sent it
   * @param receivedAt milliseconds since 1970-01-01 UTC
   * @param bytes      size of the raw messages, in bytes: what the batch costs of the byte budget
   * @param stream     numbers of the messages in the sender's stream, events and rejects together; for `DurableRanges`
   */
  constructor(
    readonly origin: Origin,
    readonly receivedAt: number,
    readonly bytes: number,
    events: SourceEvent[],
    rejects: Reject[] = [],
    readonly stream?: StreamRange,
  ) {
    this.events = events;
    this.rejects = rejects;
    this.settled = new Promise((resolve) => (this.#resolve = resolve));
  }

  /** How many messages the batch stands for now: events and rejects together. */
  get size(): number {
    return this.events.length + this.rejects.length;
  }

  /** Ends the batch; the first call counts, later ones do nothing. Only the runtime calls it. */
  settle(settlement: Settlement): void {
    if (this.#done) return;
    this.#done = true;
    this.#resolve(settlement);
  }
}

/** A stretch of records with one origin inside a record batch. */
export interface OriginRun {
  readonly origin: Origin;
  readonly receivedAt: number;
  /** How many records, counted from the end of the run before. */
  readonly count: number;
}

/** All records of one event type in one processing batch: what a sink encodes. */
export interface RecordBatch {
  readonly type: EventType;
  readonly records: readonly EventRecord[];
  /** The counts of the runs add up to `records.length`. */
  readonly runs: readonly OriginRun[];
}
