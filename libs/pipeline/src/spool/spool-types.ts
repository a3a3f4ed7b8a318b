import type { EncodedEntry, Logger } from '../api/index.js';
import type { RoomLimits } from './disk-space.js';
import type { FreezeRecord } from './format.js';
import type { ChosenEntry, SpoolDestination } from './spool-destination.js';

/** An entry to be appended. */
export interface NewEntry {
  readonly sink: string;
  /** Entry id, `<gateway>/<epoch>/<sequence>`. */
  readonly id: string;
  /** When its oldest event was received, milliseconds since 1970-01-01 UTC. */
  readonly receivedAt: number;
  readonly entry: EncodedEntry;
}

/** A batch that is frozen on disk: every attempt sends the same under the same token, whatever happens in between. */
export interface FrozenBatch {
  readonly lane: SpoolDestination;
  readonly record: FreezeRecord;
  readonly chosen: readonly ChosenEntry[];
  /** Their bytes are views of `buffer`, which is used again after `Spool.commit`. */
  readonly entries: readonly EncodedEntry[];
  readonly buffer: Buffer;
}

/** How the events of entries that were appended together have ended. */
export interface CompletedEntries {
  /** As it was given to `append`. */
  readonly note: unknown;
  /** Entry id. */
  readonly id: string;
}

/** What a spool tells. Not called before `openSpool` has resolved. */
export interface SpoolEvents {
  /** All sinks have written the events. */
  written(ended: CompletedEntries): void;
  /** Damage has kept the events from at least one sink; their bytes are set aside. */
  lost(ended: CompletedEntries): void;
  /** A flush took so many ms. */
  flushed(ms: number): void;
  /** `problems` says something else than before. */
  changed(): void;
}

/** How a spool is opened. */
export interface SpoolOptions {
  readonly directory: string;
  readonly limits: RoomLimits;
  readonly logger: Logger;
  readonly events: SpoolEvents;
  /** Whether a thread of its own waits for the disk; on by default. Needs the built program. */
  readonly thread?: boolean;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly now: () => number;
  /** Calls off waiting for another holder. */
  readonly signal: AbortSignal;
}
