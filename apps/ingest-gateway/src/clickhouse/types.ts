import type { Endpoint, EventType, LiveValue, Logger } from '@activity-gateway/pipeline/api';
import type { GatewayConfig } from '@activity-gateway/pipeline/host';
import type { DeadLetterStore } from './dead-letter-types.js';

export type * from './dead-letter-types.js';

/** What the ClickHouse service is made from. */
export interface ClickHouseOptions {
  readonly config: GatewayConfig['clickhouse'];
  readonly dataDir: string;
  /** Their tables are made, extended, given the retention and shown. Dead letters are always there besides. */
  readonly eventTypes: readonly EventType[];
  readonly logger: Logger;
}

/** State of ClickHouse as health and status show it. */
export interface ClickHouseStatus {
  readonly mode: 'embedded' | 'external';
  /** `ok`: reachable and migrated. */
  readonly state: 'starting' | 'ok' | 'degraded' | 'failed' | 'stopped';
  readonly reason?: string;
  /** Without credentials; empty until known. */
  readonly url: string;
  readonly version?: string;
  readonly schemaVersion?: number;
  /** Only while ClickHouse can be used, and a change of the retention waits for a confirmation. */
  readonly retention?: readonly WaitingRetention[];
}

/** A change of the retention that would delete rows, and so waits for a confirmation; or one that was made. */
export interface WaitingRetention {
  readonly table: string;
  /** Days that the table keeps rows, 0 = no TTL; null where it has a TTL that the gateway did not make. */
  readonly currentDays: number | null;
  /** Days of the configuration; 0 = no TTL. */
  readonly configuredDays: number;
  /** Rows that the change deletes; null where they could not be counted. */
  readonly rows: number | null;
}

/** Filter of `GET /api/v1/activity/events`. */
export interface ActivityQuery {
  /** `EventType.type`. */
  readonly type?: string;
  /** Milliseconds since 1970-01-01 UTC, inclusive. */
  readonly from?: number;
  /** Exclusive. */
  readonly to?: number;
  /** Part of a user's name or id, without regard to case. */
  readonly user?: string;
  /** Monitored host, or the agent's, or for LEEF the syslog host; exact, without regard to case. */
  readonly host?: string;
  /** 1 to 1,000. */
  readonly limit: number;
}

/** One event as reports read it: `type`, the event time, then every column of its table by its column name. */
export type ActivityEvent = Readonly<Record<string, unknown>> & {
  readonly type: string;
  readonly event_time: string;
};

/** Counts by type, dead letters included. */
export interface ActivitySummary {
  readonly types: Readonly<
    Record<string, { readonly events: number; readonly lastEventTime: string | null }>
  >;
  readonly deadLetters: { readonly total: number; readonly byCode: Readonly<Record<string, number>> };
}

/** ClickHouse for the control plane. Made by `createClickHouseService`. */
export interface ClickHouseService {
  /**
   * Starts the embedded server or connects to the given one, and migrates, in the background: resolves at once.
   * A server that is down is tried again until it answers; an embedded one that dies is started again.
   */
  start(): void;
  /** Known as soon as there is an address to send to. */
  readonly endpoint: LiveValue<Endpoint | undefined>;
  status(): ClickHouseStatus;
  /** Newest first. @throws GatewayError `CLICKHOUSE_UNAVAILABLE` when it cannot be asked */
  events(query: ActivityQuery): Promise<ActivityEvent[]>;
  /** @throws GatewayError `CLICKHOUSE_UNAVAILABLE` when it cannot be asked */
  summary(): Promise<ActivitySummary>;
  readonly deadLetters: DeadLetterStore;
  /** Changes of the retention that wait for a confirmation, counted now. @throws as `events` */
  waitingRetention(): Promise<readonly WaitingRetention[]>;
  /**
   * Makes them, which deletes rows.
   * @param made told each change that was made, also when a later one fails
   * @returns what was changed
   * @throws as `events`
   */
  applyRetention(made?: (change: WaitingRetention) => void): Promise<readonly WaitingRetention[]>;
  /** Ends the embedded server in order, and all connections. Safe twice. */
  stop(): Promise<void>;
}
