import type { Origin } from '../api/index.js';

/** A dead letter that is to be tried again. */
export interface ReplayItem {
  /** Its id: what was stored of it is found again by that. */
  readonly id: string;
  readonly origin: Origin;
  /** When it was received first, milliseconds since 1970-01-01 UTC. */
  readonly receivedAt: number;
  /** The line as received, or a row that a destination refused, as the dead letter has it. */
  readonly raw: string;
  /** `row`: a record as JSON by its fields' names. */
  readonly encoding: 'utf8' | 'base64' | 'row';
  /** Event type of a row. */
  readonly destination: string;
}

/** What became of one. */
export interface ReplayOutcome {
  readonly id: string;
  /**
   * `replayed`: stored now; `stored`: it was, by a replay before; `refused`: as before, it stays a dead letter; `failed`: a
   * sink could not be written to, so that it may be stored or not: the next replay finds out.
   */
  readonly outcome: 'replayed' | 'stored' | 'refused' | 'failed';
  /** Of the refusal or failure. */
  readonly code?: string;
  readonly message?: string;
}
