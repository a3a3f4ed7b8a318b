import type { ConnectionEnd, ConnectionSettings, Endpoint, Services } from '../api/index.js';
import { createLiveValue, type WritableLiveValue } from '../helpers/index.js';
import {
  type AcceptedConnection,
  type ConnectionFeed,
  type ConnectionTaker,
  createListen,
  type TlsIdentity,
} from '../listen/index.js';

/** A connection feed that a test fills. */
export interface TestConnectionFeed extends ConnectionFeed {
  /** Whether somebody takes connections now. */
  readonly taken: boolean;
  /** Calls of `identified`, in order. */
  readonly identifications: readonly { readonly connectionId: string; readonly key: string }[];
  /** Calls of `violated`, in order. */
  readonly violations: readonly { readonly connectionId: string; readonly reason: string }[];
  /** Ids given to `closed`, in order. */
  readonly closedIds: readonly string[];
  /** Hands a connection over; destroys its socket when nobody takes it, as the acceptor would. */
  offer(connection: AcceptedConnection): void;
  /** Asks the taker to end a connection. */
  end(connectionId: string, reason: ConnectionEnd): void;
  /** What the taker says of a connection's silence, ms. */
  silentMs(connectionId: string): number | undefined;
}

/** Services whose values a test can set, and which keep what they were told. */
export interface TestServices extends Services {
  readonly connectionSettings: WritableLiveValue<ConnectionSettings>;
  /** What `listen` takes its connections from. */
  readonly connections: TestConnectionFeed;
  /** What `listen` serves. */
  readonly tlsIdentity: WritableLiveValue<TlsIdentity | undefined>;
  readonly endpoints: WritableLiveValue<ReadonlyMap<string, Endpoint>>;
}

/** Makes services: no TLS identity, no endpoint, and connections that the test offers. */
export function createTestServices(): TestServices {
  const connections = createTestConnectionFeed();
  const tlsIdentity = createLiveValue<TlsIdentity | undefined>(undefined);
  return {
    listen: createListen({ connections, tlsIdentity }),
    connectionSettings: createLiveValue<ConnectionSettings>({
      maxMessageBytes: 1_048_576,
      idleTimeoutMs: 60_000,
      firstMessageTimeoutMs: 10_000,
    }),
    connections,
    tlsIdentity,
    endpoints: createLiveValue<ReadonlyMap<string, Endpoint>>(new Map()),
  };
}

function createTestConnectionFeed(): TestConnectionFeed {
  let taker: ConnectionTaker | undefined;
  const closedIds: string[] = [];
  const identifications: { connectionId: string; key: string }[] = [];
  const violations: { connectionId: string; reason: string }[] = [];
  return {
    closedIds,
    violations,
    identifications,
    get taken() {
      return taker !== undefined;
    },
    take(given) {
      taker = given;
      return () => {
        if (taker === given) taker = undefined;
      };
    },
    violated: (connectionId, reason) => void violations.push({ connectionId, reason }),
    identified: (connectionId, key) => void identifications.push({ connectionId, key }),
    closed: (connectionId) => void closedIds.push(connectionId),
    offer(connection) {
      if (taker === undefined) connection.socket.destroy();
      else taker.accept(connection);
    },
    end: (connectionId, reason) => taker?.end(connectionId, reason),
    silentMs: (connectionId) => taker?.silentMs(connectionId),
  };
}
