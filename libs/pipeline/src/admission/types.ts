import type { Effect } from './penalties.js';
import type { Logger, Metrics } from '../api/index.js';

/** Limits that may change while connections are open; they act on what comes from then on. */
export interface AdmissionLimits {
  /** Identified connections at once. */
  readonly maxConnections: number;
  /** How long a ban or a slowing lasts, ms. */
  readonly penaltyMs: number;
  /** How long a connection may stay without being identified, ms. */
  readonly unidentifiedMs: number;
}

/** Why a new connection is refused before a byte of it is read. */
export type Refusal =
  /** Its address is banned. */
  | 'banned'
  /** Its address opens too many in a short time. */
  | 'rate'
  /** Its address is slowed, and has had its share. */
  | 'slowed'
  /** There are as many identified connections as there may be. */
  | 'limit'
  /** The pool of unidentified connections is full, and those told to go have not gone yet. */
  | 'unidentified';

/** Answer to a new connection. */
export type Decision =
  | { readonly admitted: true; readonly connectionId: string; readonly address: string }
  | { readonly admitted: false; readonly reason: Refusal; readonly address: string };

/** A limit at which connections with an identified key, or peers that may have one, were turned away lately. */
export interface LimitReached {
  /** `connections`: `maxConnections`; `key`: the connections of one key. */
  readonly limit: 'connections' | 'key';
  /** Connections that it allows. */
  readonly max: number;
  /** Connections turned away at it since the start. */
  readonly refused: number;
  /** Milliseconds since 1970-01-01 UTC of the last one. */
  readonly at: number;
  /** The key that was last turned away, where it is known. */
  readonly key?: string;
}

/** What an admission is made from. */
export interface AdmissionOptions {
  readonly limits: AdmissionLimits;
  /** Connections of one key at once; 8 by default. */
  readonly maxPerKey?: number;
  /** Networks in CIDR form whose addresses are neither banned nor slowed; none by default. */
  readonly neverBan?: readonly string[];
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Closes an unidentified connection at once. */
  cut(connectionId: string): void;
  /**
   * Ends an identified connection gracefully: `displaced` for a newer one of its key, `limit` because there is no place
   * for it.
   */
  end(connectionId: string, reason: 'displaced' | 'limit'): void;
  /**
   * How long connections have been silent, ms; 0 while they have to wait. Those that nobody can tell of are left out.
   * Asked only when a key has all its places.
   * Never rejects.
   */
  silences(connectionIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Told of every penalty, also of one that begins again. */
  penalized?(address: string, effect: Effect, reason: string): void;
  /** Milliseconds since 1970-01-01 UTC; `Date.now` by default. */
  readonly now?: () => number;
  /** Milliseconds of which only differences count; `performance.now` by default. */
  readonly monotonic?: () => number;
}
