import { mkdir } from 'node:fs/promises';
import { open, type RootDatabase } from 'lmdb';
import { GatewayError } from '@activity-gateway/pipeline/api';
import type { Store } from '../repositories.js';
import { FIRST_SCHEMA, refuseNewerSchema } from '../schema-version.js';
import { EmbeddedAgentRepository } from './agent.repository.js';
import { EmbeddedApiKeyRepository } from './api-key.repository.js';
import { EmbeddedAuditRepository } from './audit.repository.js';
import { Documents, type OpenState } from './documents.js';
import { EmbeddedEnrollmentTokenRepository } from './enrollment-token.repository.js';
import { EmbeddedInstallationRepository } from './installation.repository.js';
import { EmbeddedKnownAddressRepository } from './known-address.repository.js';
import { EmbeddedRefusalRepository } from './refusal.repository.js';
import { EmbeddedSettingsRepository } from './settings.repository.js';

/**
 * Opens the embedded store in a directory of its own and makes that directory where there is none. A directory
 * belongs to one gateway at a time: take the data directory's lock first.
 * @throws GatewayError `STORE_UNAVAILABLE` when the directory cannot be made or opened, `STORE_SCHEMA_NEWER` when a later
 *   version of the gateway has written it (nothing is changed)
 */
export async function createEmbeddedStore(dir: string): Promise<Store> {
  const root = await openRoot(dir);
  const state: OpenState = { closed: false };
  const table = <T>(name: string): Documents<T> =>
    new Documents(root.openDB<T, string>({ name, encoding: 'json' }), state);
  const installation = new EmbeddedInstallationRepository(table('installation'));
  try {
    const found = await installation.setOnce('schema_version', FIRST_SCHEMA);
    refuseNewerSchema(found, dir, 'the data directory');
  } catch (error) {
    await root.close();
    throw error;
  }
  return {
    agents: new EmbeddedAgentRepository(table('agents')),
    knownAddresses: new EmbeddedKnownAddressRepository(table('known_addresses')),
    refusals: new EmbeddedRefusalRepository(table('refusals')),
    enrollmentTokens: new EmbeddedEnrollmentTokenRepository(table('enrollment_tokens')),
    settings: new EmbeddedSettingsRepository(table('settings')),
    installation,
    // The directory belongs to this process: nobody else changes anything.
    changes: { subscribe: () => () => undefined },
    status: () => (state.closed ? { state: 'failed', reason: 'The store is closed.' } : { state: 'ok' }),
    apiKeys: new EmbeddedApiKeyRepository(table('api_keys')),
    audit: new EmbeddedAuditRepository(table('audit'), table('audit_rejections')),
    async close() {
      if (state.closed) return;
      state.closed = true;
      await root.close();
    },
  };
}

async function openRoot(dir: string): Promise<RootDatabase> {
  try {
    // Hashes of secrets are in there: nobody else on the machine needs to read them.
    await mkdir(dir, { recursive: true, mode: 0o700 });
    // Without overlapping, a commit is on disk before its promise resolves; writes are rare here.
    return open({ path: dir, noSubdir: false, overlappingSync: false });
  } catch (error) {
    throw new GatewayError(
      'STORE_UNAVAILABLE',
      `The embedded store in ${dir} cannot be opened: ${(error as Error).message}`,
      'Make sure that this user may write there, and that the disk is not full.',
      { cause: error },
    );
  }
}
