import type { Readable } from 'node:stream';

/** Which dead letters; what is left out does not matter. */
export interface DeadLetterFilter {
  readonly code?: string;
  /** Type of event. */
  readonly type?: string;
  readonly stage?: string;
  readonly pipeline?: string;
  /** Hostname of the agent, without regard to case, or its SPKI hash. */
  readonly agent?: string;
  /** Milliseconds since 1970-01-01 UTC of the receipt, inclusive. */
  readonly from?: number;
  /** Exclusive. */
  readonly to?: number;
  readonly replayed?: boolean;
  readonly ids?: readonly string[];
}

/** A place between dead letters, in the order of their receipt. */
export interface DeadLetterPosition {
  /** Milliseconds since 1970-01-01 UTC. */
  readonly receivedAt: number;
  readonly id: string;
}

/** A dead letter by its columns (`docs/reference/events.md`); times are ISO 8601, UTC. */
export interface DeadLetter {
  readonly id: string;
  readonly received_at: string;
  readonly agent_spki: string;
  readonly agent_host: string;
  readonly source_ip: string;
  readonly pipeline: string;
  readonly stage: string;
  readonly code: string;
  readonly field: string;
  readonly message: string;
  readonly raw: string;
  /** `utf8` or `base64` for a line as received, `row` for a row that `destination` refused. */
  readonly raw_encoding: string;
  readonly destination: string;
  readonly ingest_batch: string;
  readonly replayed_at: string | null;
  /** Type of event, such as `file`; empty where it is unknown. */
  readonly event_type: string;
}

/** Dead letters of one code and stage. */
export interface DeadLetterCount {
  readonly code: string;
  readonly stage: string;
  readonly count: number;
  /** Of them, those that were replayed. */
  readonly replayed: number;
  readonly first: string;
  readonly last: string;
}

/** What the table of dead letters takes. */
export interface DeadLetterSize {
  readonly rows: number;
  /** On disk, compressed. */
  readonly bytes: number;
}

/** The dead letters as ClickHouse holds them. Everything rejects with GatewayError `CLICKHOUSE_UNAVAILABLE`. */
export interface DeadLetterStore {
  /** Newest first, those before a position. Long messages are cut: `one` gives them whole. */
  list(filter: DeadLetterFilter, limit: number, before?: DeadLetterPosition): Promise<DeadLetter[]>;
  one(id: string): Promise<DeadLetter | undefined>;
  counts(filter: DeadLetterFilter): Promise<DeadLetterCount[]>;
  size(): Promise<DeadLetterSize>;
  /** All of them, oldest first, as lines of JSON. The stream has to be read or destroyed. */
  export(filter: DeadLetterFilter): Promise<Readable>;
  /** Whole and not replayed yet, oldest first, those behind a position; at most `maxBytes` of messages, but at least one. */
  pending(
    filter: DeadLetterFilter,
    limit: number,
    maxBytes: number,
    after?: DeadLetterPosition,
  ): Promise<DeadLetter[]>;
  /** Notes that they were replayed; resolves when that is to be seen. @param at milliseconds since 1970-01-01 UTC */
  markReplayed(ids: readonly string[], at: number): Promise<void>;
}
