import { setImmediate as nextTurn } from 'node:timers/promises';
import { applyChanges, type Change, type SpoolDatabase } from './database.js';

/** Writes changes to a spool; one call at a time. */
export interface SpoolWriter {
  /** All changes are on disk when it resolves, or none if it rejects. */
  write(changes: readonly Change[]): Promise<void>;
  /** Ends what holds the file; the next write opens it again. */
  release(): Promise<void>;
  /** Closes the file between two writes, and keeps what costs time to make; the next write opens it again. */
  closeFile(): Promise<void>;
  /** Ends the writer; safe twice. */
  close(): Promise<void>;
}

/** Writes on the calling thread, which waits for the disk: for tools and specs. */
export class InlineWriter implements SpoolWriter {
  constructor(private readonly database: SpoolDatabase) {}

  async write(changes: readonly Change[]): Promise<void> {
    // Whoever submits goes on first, as with a writer on a thread of its own.
    await nextTurn();
    applyChanges(this.database, changes);
  }

  async release(): Promise<void> {
    await nextTurn();
  }

  async closeFile(): Promise<void> {
    await nextTurn();
  }

  async close(): Promise<void> {
    await nextTurn();
  }
}
