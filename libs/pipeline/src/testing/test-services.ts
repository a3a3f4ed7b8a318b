import type {
  AcceptedConnection,
  Allowlist,
  ConnectionEnd,
  ConnectionFeed,
  ConnectionSettings,
  ConnectionTaker,
  Endpoint,
  EnrollmentOutcome,
  EnrollmentRequest,
  Services,
  TlsIdentity,
} from '../api/index.js';
import { createLiveValue, type WritableLiveValue } from '../helpers/index.js';

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
  readonly connections: TestConnectionFeed;
  readonly allowlist: WritableLiveValue<Allowlist>;
  readonly tlsIdentity: WritableLiveValue<TlsIdentity | undefined>;
  readonly endpoints: WritableLiveValue<ReadonlyMap<string, Endpoint>>;
  /** Answer of `enroll`; may be replaced at any time. */
  readonly enrollmentOutcome: WritableLiveValue<EnrollmentOutcome>;
  /** Requests given to `enroll`, in order. */
  readonly enrollments: readonly EnrollmentRequest[];
  /** Calls of `presence`, in order. */
  readonly presenceCalls: readonly { readonly call: string; readonly spkiHash: string }[];
}

/** Makes services: an empty allowlist, no TLS identity, no endpoint, and an enrollment that is `Unavailable`. */
export function createTestServices(): TestServices {
  const enrollments: EnrollmentRequest[] = [];
  const presenceCalls: { call: string; spkiHash: string }[] = [];
  const enrollmentOutcome = createLiveValue<EnrollmentOutcome>({ status: 'Unavailable' });
  return {
    connectionSettings: createLiveValue<ConnectionSettings>({
      maxMessageBytes: 1_048_576,
      idleTimeoutMs: 60_000,
      firstMessageTimeoutMs: 10_000,
    }),
    connections: createTestConnectionFeed(),
    allowlist: createLiveValue<Allowlist>(new Map()),
    tlsIdentity: createLiveValue<TlsIdentity | undefined>(undefined),
    endpoints: createLiveValue<ReadonlyMap<string, Endpoint>>(new Map()),
    presence: {
      connected: (spkiHash) => void presenceCalls.push({ call: 'connected', spkiHash }),
      disconnected: (spkiHash) => void presenceCalls.push({ call: 'disconnected', spkiHash }),
      seen: (spkiHash) => void presenceCalls.push({ call: 'seen', spkiHash }),
    },
    presenceCalls,
    enrollmentOutcome,
    enrollments,
    async enroll(request) {
      enrollments.push(request);
      return enrollmentOutcome.current;
    },
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
    end: (connectionId, reason) => taker?.end?.(connectionId, reason),
    silentMs: (connectionId) => taker?.silentMs?.(connectionId),
  };
}
