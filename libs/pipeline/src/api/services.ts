import type { Listen } from './listen.js';
import type { StreamClaims } from './streams.js';

/** A value that changes by replacement, never in place. */
export interface LiveValue<T> {
  readonly current: T;
  /** Calls the listener after each change; returns what ends the subscription. */
  subscribe(listener: (value: T) => void): () => void;
}

/** Limits and deadlines of each connection, new and open ones. */
export interface ConnectionSettings {
  /** `activitymonitor_max_message_size`, bytes. */
  readonly maxMessageBytes: number;
  /** `activitymonitor_connection_timeout`, ms. */
  readonly idleTimeoutMs: number;
  /** `activitymonitor_enrollment_first_message_timeout_seconds`, ms; covers the TLS handshake too. */
  readonly firstMessageTimeoutMs: number;
}

/** Where a named database is; the embedded ClickHouse gets its port at start. */
export interface Endpoint {
  readonly url: string;
  readonly database: string;
  readonly username: string;
  readonly password: string;
}

/** What an instance may use of the gateway. A program offers more for its domain, whose library has the types. */
export interface Services {
  readonly connectionSettings: LiveValue<ConnectionSettings>;
  readonly listen: Listen;
  /** Named endpoints; a name is missing until its server is known. */
  readonly endpoints: LiveValue<ReadonlyMap<string, Endpoint>>;
  /** Missing where there is one data plane process only. */
  readonly streamClaims?: StreamClaims;
}
