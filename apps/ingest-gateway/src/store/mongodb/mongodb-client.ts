import { MongoClient, type MongoClientOptions } from 'mongodb';
import { GatewayError } from '@app/pipeline/api';
import { reasonOf } from './mongodb-errors.js';

/** The longest that one operation may take, ms; what takes longer has failed with an unknown outcome. */
export const OPERATION_TIMEOUT_MS = 4_000;

/** What holds for every operation, whatever the URI says. */
const OPTIONS: MongoClientOptions = {
  appName: 'activity-ingest-gateway',
  // Acknowledged means: on the disks of most members. A member that is gone must not hold a request for ever.
  writeConcern: { w: 'majority', journal: true, wtimeoutMS: OPERATION_TIMEOUT_MS - 500 },
  // Never what could be rolled back, and never older than what this gateway has written.
  readConcern: { level: 'majority' },
  readPreference: 'primary',
  serverSelectionTimeoutMS: 2_500,
  connectTimeoutMS: 2_500,
  socketTimeoutMS: OPERATION_TIMEOUT_MS,
  waitQueueTimeoutMS: 2_500,
  heartbeatFrequencyMS: 2_000,
  maxPoolSize: 10,
};

/** A client, and how messages name its server. */
export interface NamedClient {
  readonly client: MongoClient;
  /** Hosts and ports, never user or password. */
  readonly label: string;
}

/**
 * Makes a client; it connects with its first operation.
 * @throws GatewayError `STORE_URI_INVALID`; the message does not show the URI
 */
export function createMongoClient(uri: string): NamedClient {
  try {
    const client = new MongoClient(uri, OPTIONS);
    const { hosts, srvHost } = client.options;
    return { client, label: srvHost ?? hosts.map(String).join(', ') };
  } catch (error) {
    throw new GatewayError(
      'STORE_URI_INVALID',
      `The URI of the MongoDB store cannot be used: ${reasonOf(error)}.`,
      'Write mongodb://user:password@host:27017/?options, with special characters of the password percent-encoded.',
    );
  }
}
