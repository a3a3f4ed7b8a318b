import { MongoClient, ReadConcern, type Db, type DbOptions, type MongoClientOptions } from 'mongodb';
import { GatewayError } from '@app/pipeline/api';
import { reasonOf } from './mongodb-errors.js';

/** The longest that one operation may take, ms; what takes longer has failed with an unknown outcome. */
export const OPERATION_TIMEOUT_MS = 4_000;

/**
 * What holds for every operation, whatever the URI says. Acknowledged means: in the journals of most members. There is
 * no `wtimeout`, because a server that is given one was seen to acknowledge before its journal was written; the time that
 * an operation may take is limited on this side. Read is never what could be rolled back, nor anything older than what this
 * gateway has written.
 */
const CONCERNS: DbOptions = {
  writeConcern: { w: 'majority', journal: true },
  readConcern: new ReadConcern('majority'),
  readPreference: 'primary',
};

const LIMITS: MongoClientOptions = {
  appName: 'activity-ingest-gateway',
  serverSelectionTimeoutMS: 2_500,
  connectTimeoutMS: 2_500,
  socketTimeoutMS: OPERATION_TIMEOUT_MS,
  waitQueueTimeoutMS: 2_500,
  heartbeatFrequencyMS: 2_000,
  maxPoolSize: 10,
};

/** A database, and how messages name its server. */
export interface NamedDatabase {
  readonly database: Db;
  readonly client: MongoClient;
  /** Hosts and ports, never user or password. */
  readonly label: string;
}

/**
 * Makes a client; it connects with its first operation.
 * @throws GatewayError `STORE_URI_INVALID`; the message does not show the URI
 */
export function openDatabase(uri: string, name: string): NamedDatabase {
  try {
    const client = new MongoClient(uri, LIMITS);
    const { hosts, srvHost } = client.options;
    return { client, database: client.db(name, CONCERNS), label: srvHost ?? hosts.map(String).join(', ') };
  } catch (error) {
    throw new GatewayError(
      'STORE_URI_INVALID',
      `The URI of the MongoDB store cannot be used: ${reasonOf(error)}.`,
      'Write mongodb://user:password@host:27017/?options, with special characters of the password percent-encoded.',
    );
  }
}
