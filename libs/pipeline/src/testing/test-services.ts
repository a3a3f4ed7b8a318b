import type {
  AcceptedConnection,
  Allowlist,
  ConnectionFeed,
  ConnectionSettings,
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
  /** Ids given to `identified`, in order. */
  readonly identifiedIds: readonly string[];
  /** Ids given to `closed`, in order. */
  readonly closedIds: readonly string[];
  /** Hands a connection over; destroys its socket when nobody takes it, as the acceptor would. */
  offer(connection: AcceptedConnection): void;
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
  /** Calls of `ban`, in order. */
  readonly bans: readonly { readonly sourceIp: string; readonly reason: string }[];
  /** Calls of `presence`, in order, those of `received` left out. */
  readonly presenceCalls: readonly { readonly call: string; readonly spkiHash: string }[];
  /** Calls of `presence.received`, in order. */
  readonly received: readonly {
    readonly spkiHash: string;
    readonly messages: number;
    readonly bytes: number;
  }[];
}

/** Makes services: an empty allowlist, no TLS identity, no endpoint, and an enrollment that is `Unavailable`. */
export function createTestServices(): TestServices {
  const enrollments: EnrollmentRequest[] = [];
  const bans: { sourceIp: string; reason: string }[] = [];
  const presenceCalls: { call: string; spkiHash: string }[] = [];
  const received: { spkiHash: string; messages: number; bytes: number }[] = [];
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
      received: (spkiHash, messages, bytes) => void received.push({ spkiHash, messages, bytes }),
    },
    presenceCalls,
    received,
    enrollmentOutcome,
    enrollments,
    async enroll(request) {
      enrollments.push(request);
      return enrollmentOutcome.current;
    },
    bans,
    ban: (sourceIp, reason) => void bans.push({ sourceIp, reason }),
  };
}

function createTestConnectionFeed(): TestConnectionFeed {
  let taker: ((connection: AcceptedConnection) => void) | undefined;
  const closedIds: string[] = [];
  const identifiedIds: string[] = [];
  return {
    closedIds,
    identifiedIds,
    get taken() {
      return taker !== undefined;
    },
    take(handler) {
      taker = handler;
      return () => {
        if (taker === handler) taker = undefined;
      };
    },
    identified: (connectionId) => void identifiedIds.push(connectionId),
    closed: (connectionId) => void closedIds.push(connectionId),
    offer(connection) {
      if (taker === undefined) connection.socket.destroy();
      else taker(connection);
    },
  };
}
