import type { Observable } from 'rxjs';
import type { EncodedEntry, DurableRanges, StreamRange } from '../api/index.js';
import type { DestinationQueue } from './destination-queue.js';

/** One encoded entry on its way to one sink. */
export interface QueueItem {
  /** Name of the sink inside the pipeline. */
  readonly sink: string;
  readonly entry: EncodedEntry;
  /** As `nextSequence` gives it; rises within a sink and destination. */
  readonly sequence: string;
  /** When the oldest event of the entry was received, milliseconds since 1970-01-01 UTC. */
  readonly receivedAt: number;
}

/** Some events, by event type, or as dead letters by code; what is counted when they are written. */
export interface OutcomeCounts {
  readonly outcome: 'delivered' | 'deadLettered';
  readonly counts: ReadonlyMap<string, number>;
}

/** What becomes of items that were appended together. */
export interface Appended {
  /** The queue has taken them; until then no more should be made. `undefined`: it has. */
  readonly accepted: Promise<void> | undefined;
  /** The gateway may forget the raw messages: they are on disk, or written where there is no disk. Rejects when they are lost. */
  readonly safe: Promise<void>;
}

/** What a queue tells of items that were appended together. */
export interface QueueEvents {
  /**
   * Every sink has written them.
   * @param own whether they were appended by this run of the gateway, and not by an earlier one
   */
  written(tally: OutcomeCounts, own: boolean): void;
  /** They were damaged in the queue: at least one sink does not get them. */
  lost(tally: OutcomeCounts, own: boolean): void;
}

/** Entries for one destination of a sink, frozen: every attempt sends the same under the same token. */
export interface SinkBatch {
  readonly sink: string;
  readonly destination: string;
  readonly entries: readonly EncodedEntry[];
  /** `<gateway id>/<epoch>/<destination>/<first sequence>-<last sequence>`. */
  readonly token: string;
  readonly rows: number;
  /** Encoded bytes. */
  readonly bytes: number;
  /** When its oldest event was received, milliseconds since 1970-01-01 UTC. */
  readonly receivedAt: number;
  /**
   * Whether it may be stored already, in whole or in part, and the destination may have forgotten its token: it was
   * frozen by an earlier process, or longer ago than destinations remember tokens. Such a batch is looked up first.
   */
  readonly uncertain?: boolean;
}

/** What a queue on disk holds and how it is; numbers only, so that those of several reactors can be added up. */
export interface SpoolStats {
  /** Entries on disk, those of sinks that are no longer configured included. */
  readonly entries: number;
  /** What they cost of the disk, bytes. */
  readonly bytes: number;
  readonly maxBytes: number;
  /** 1 while nothing can be appended, otherwise 0. */
  readonly full: number;
  /** Damaged entries that are set aside. */
  readonly quarantined: number;
  /** Entries of sinks that are no longer configured. */
  readonly stranded: number;
  /** Spools of reactors that are no more, which are being written out. */
  readonly adopted: number;
}

/** What a queue holds, batches being written included. */
export interface QueueStats {
  readonly entries: number;
  readonly rows: number;
  /** Encoded bytes. */
  readonly bytes: number;
  /** Age of the oldest entry in ms, 0 when empty. */
  readonly oldestMs: number;
  /** Missing where the queue is in memory. */
  readonly spool?: SpoolStats;
}

/** A queue's memory of senders' streams, stored in one step with the entries. */
export interface StreamStore extends DurableRanges {
  /**
   * Runs `work`. Everything that it appends, and the ranges it returns as durable, are stored in one step: after any
   * crash all of it is there, or nothing.
   * @returns resolves when the ranges are on disk; rejects when they cannot be remembered
   */
  atomically(work: () => readonly StreamRange[]): Promise<void>;
}

/**
 * Where encoded entries wait for their sinks: in memory or on disk. Each sink and destination has a cursor of its own,
 * so that one that is blocked holds up no other.
 */
export interface EntryQueue {
  /** Missing where the queue cannot store streams together with entries. */
  readonly streams?: StreamStore;
  /** To be called once before anything else; rejects when the queue cannot be opened. */
  open(signal: AbortSignal): Promise<void>;
  /**
   * Takes entries of one group of events, at most one for each sink.
   * @param tally what `QueueEvents` tells when all of them are written; nothing without
   */
  append(items: readonly QueueItem[], tally?: OutcomeCounts): Appended;
  /**
   * Destinations of a sink of which something has changed, for `bufferRows`: entries, batches that are out, or the limits.
   * Completes after `close`, when all is committed.
   */
  changes(sink: string): Observable<DestinationQueue>;
  /** Freezes and gives the next batch of a destination; `undefined` when it is held back or nothing is left. */
  take(sink: string, destination: string): Promise<SinkBatch | undefined>;
  /**
   * The batch is written: its entries can go. Dead letters of rows of it are appended in the same transaction: after any
   * crash either the batch is there, or they are.
   */
  commit(batch: SinkBatch, deadLetters?: readonly QueueItem[]): Promise<void>;
  /** The batch fails: no further batch of its destination is ready until it is committed. */
  hold(batch: SinkBatch): void;
  /** Tells `changes` of every destination: sources wait for room, or the settings have changed. */
  recheck(): void;
  /** Nothing more will be appended: what is left is to be taken at once. */
  close(): void;
  /** Ends timers and observables and closes files; what is in memory only is gone. What is being made safe is so first. */
  destroy(): Promise<void>;
  stats(): QueueStats;
}
