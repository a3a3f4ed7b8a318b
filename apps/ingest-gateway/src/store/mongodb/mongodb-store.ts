import type { Db } from 'mongodb';
import type { Logger } from '@activity-gateway/pipeline/api';
import type { InstallationRepository, Store } from '../repositories.js';
import { MongoAgentRepository } from './agent.repository.js';
import { MongoApiKeyRepository } from './api-key.repository.js';
import { MongoAuditRepository } from './audit.repository.js';
import { ChangePoller } from './change-poller.js';
import { MongoEnrollmentTokenRepository } from './enrollment-token.repository.js';
import { withDeadline } from './deadline.js';
import { OPERATION_TIMEOUT_MS, openDatabase } from './mongodb-client.js';
import { MongoKnownAddressRepository } from './known-address.repository.js';
import { MongoConnection } from './mongodb-connection.js';
import { reasonOf } from './mongodb-errors.js';
import { MongoTable } from './mongodb-table.js';
import { MongoRefusalRepository } from './refusal.repository.js';
import { Revision, type RevisionDocument } from './revision.js';
import { SchemaCheck } from './schema-check.js';
import { MongoSettingsRepository } from './settings.repository.js';

/** What a MongoDB store is made from. */
export interface MongoStoreOptions {
  /** `mongodb://` or `mongodb+srv://`, with user and password where the server asks for them. */
  readonly uri: string;
  readonly database: string;
  /** Facts of this one gateway, which several gateways on one database must not share. Not closed with the store. */
  readonly installation: InstallationRepository;
  /** How often everything is read anew although no change is known, ms; 30,000 by default. */
  readonly reloadMs?: number;
  readonly logger: Logger;
}

const RELOAD_MS = 30_000;
const COLLECTIONS = {
  agents: 'agents',
  knownAddresses: 'known_addresses',
  refusals: 'refusals',
  tokens: 'enrollment_tokens',
  settings: 'settings',
  apiKeys: 'api_keys',
  audit: 'audit',
  rejections: 'audit_rejections',
  meta: 'meta',
};

/**
 * A store in a MongoDB that several gateways may share: a standalone server or a replica set, no transactions, no change
 * streams. Does not wait for the server: until it answers, every operation rejects and `status()` says why.
 * @throws GatewayError `STORE_URI_INVALID`
 */
export function createMongoStore(options: MongoStoreOptions): Store {
  const { client, database, label } = openDatabase(options.uri, options.database);
  const { logger, reloadMs = RELOAD_MS } = options;
  const schema = new SchemaCheck(() => database().collection(COLLECTIONS.meta), label, reloadMs);
  const connect = async (): Promise<void> => {
    await client.connect();
    await schema.run();
  };
  const connection = new MongoConnection(label, connect, logger);
  const revision = new Revision(() => database().collection<RevisionDocument>(COLLECTIONS.meta), connection);
  const table = (name: string): MongoTable =>
    new MongoTable(() => database().collection(name), connection, revision);
  const prepare = (): Promise<void> => createIndexes(database());
  const poller = new ChangePoller({ connection, revision, prepare, reloadMs, logger });
  poller.start();
  return {
    agents: new MongoAgentRepository(table(COLLECTIONS.agents)),
    knownAddresses: new MongoKnownAddressRepository(table(COLLECTIONS.knownAddresses)),
    refusals: new MongoRefusalRepository(table(COLLECTIONS.refusals)),
    enrollmentTokens: new MongoEnrollmentTokenRepository(table(COLLECTIONS.tokens)),
    settings: new MongoSettingsRepository(table(COLLECTIONS.settings)),
    installation: options.installation,
    apiKeys: new MongoApiKeyRepository(table(COLLECTIONS.apiKeys)),
    audit: new MongoAuditRepository(table(COLLECTIONS.audit), table(COLLECTIONS.rejections)),
    changes: poller,
    status: () => connection.status(),
    async close() {
      connection.close();
      await poller.stop();
      await withDeadline(() => client.close(), OPERATION_TIMEOUT_MS).catch((error: unknown) => {
        logger.warn({ reason: reasonOf(error) }, 'Failed to close the connections to MongoDB cleanly');
      });
    },
  };
}

/** Keys are in `_id`, whose index every collection has and is unique; what is searched by something else needs its own. */
async function createIndexes(database: Db): Promise<void> {
  await database.collection(COLLECTIONS.tokens).createIndex({ expiresAt: 1 }, { name: 'expiry' });
  await database.collection(COLLECTIONS.audit).createIndex({ kind: 1, _id: 1 }, { name: 'kind' });
}
