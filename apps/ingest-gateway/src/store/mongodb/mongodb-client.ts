import { MongoClient, ReadConcern, type Db, type DbOptions, type MongoClientOptions } from 'mongodb';
import { GatewayError } from '@activity-gateway/pipeline/api';
import { reasonOf } from './mongodb-errors.js';

/** The longest that one operation may take, ms; what takes longer has failed with an unknown outcome. */
export const OPERATION_TIMEOUT_MS = 4_000;

/** Read is never what could be rolled back, nor anything older than what this gateway has written. */
const READS: DbOptions = { readConcern: new ReadConcern('majority'), readPreference: 'primary' };

/**
 * Acknowledged means: in the journals of most members, whatever the URI says. There is no `wtimeout`: the time that an
 * operation may take is limited on this side, and one that ran out would have an unknown outcome all the same.
 */
const REPLICATED: DbOptions = { ...READS, writeConcern: { w: 'majority', journal: true } };

/**
 * A standalone server is its own majority. One was seen to acknowledge `majority` before its journal was on the disk, and
 * to lose that with kill -9; asked for one member and the journal it never did.
 */
const STANDALONE: DbOptions = { ...READS, writeConcern: { w: 1, journal: true } };

const LIMITS: MongoClientOptions = {
  appName: 'activity-ingest-gateway',
  serverSelectionTimeoutMS: 2_500,
  connectTimeoutMS: 2_500,
  socketTimeoutMS: OPERATION_TIMEOUT_MS,
  waitQueueTimeoutMS: 2_500,
  heartbeatFrequencyMS: 2_000,
  maxPoolSize: 10,
  // A field that is not given is absent, as in the embedded store, and not null.
  ignoreUndefined: true,
};

/** A database, and how messages name its server. */
export interface NamedDatabase {
  /** The database, with the concerns that fit the server as it is now. */
  readonly database: () => Db;
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
    const [replicated, standalone] = [client.db(name, REPLICATED), client.db(name, STANDALONE)];
    let database = replicated;
    client.on('topologyDescriptionChanged', ({ newDescription }) => {
      const kinds = new Set([...newDescription.servers.values()].map(({ type }) => type));
      if (kinds.has('Standalone')) database = standalone;
      // While it is gone nothing is known of it: it is taken to be what it was.
      else if (!kinds.has('Unknown')) database = replicated;
    });
    return { client, database: () => database, label: srvHost ?? hosts.map(String).join(', ') };
  } catch (error) {
    throw new GatewayError(
      'STORE_URI_INVALID',
      `The URI of the MongoDB store cannot be used: ${reasonOf(error)}.`,
      'Write mongodb://user:password@host:27017/?options, with special characters of the password percent-encoded.',
    );
  }
}
