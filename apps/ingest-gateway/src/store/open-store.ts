import { join } from 'node:path';
import type { GatewayConfig } from '@activity-gateway/pipeline/host';
import type { Logger } from '@activity-gateway/pipeline/api';
import { createEmbeddedStore } from './embedded/embedded-store.js';
import type { Store } from './repositories.js';

/** Where a gateway keeps what it has to remember. */
export interface OpenStoreOptions {
  readonly config: GatewayConfig['store'];
  /** Its lock is held. */
  readonly dataDir: string;
  readonly logger: Logger;
}

/**
 * Opens the configured store. The facts of this one gateway (its id, its epochs, its admin key's hash) are in the data
 * directory in any case: gateways that share a MongoDB must not share those, and a restart without MongoDB needs them.
 * @throws GatewayError `STORE_UNAVAILABLE` when the data directory cannot be used, `STORE_URI_INVALID`; a MongoDB that
 *   does not answer is waited for later
 */
export async function openStore({ config, dataDir, logger }: OpenStoreOptions): Promise<Store> {
  const embedded = await createEmbeddedStore(embeddedStoreDir(dataDir));
  if (config.use === 'embedded') return embedded;
  try {
    // The driver is loaded only where it is used: it costs memory and start time.
    const { createMongoStore } = await import('./mongodb/mongodb-store.js');
    const { uri, database } = config;
    const store = createMongoStore({ uri, database, installation: embedded.installation, logger });
    return { ...store, close: () => store.close().finally(() => embedded.close()) };
  } catch (error) {
    await embedded.close();
    throw error;
  }
}

/** Where the embedded store is in a data directory. */
export function embeddedStoreDir(dataDir: string): string {
  return join(dataDir, 'store');
}
