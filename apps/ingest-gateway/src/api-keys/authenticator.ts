import type { Logger } from '@activity-gateway/pipeline/api';
import { hashSecret, sameHash } from '../secrets.js';
import type { ApiKeyRepository, StoredApiKey } from '../store/index.js';
import { apiKeyId, isApiKey, type Role } from './api-keys.service.js';

/** Who a request comes from, as far as its key tells. */
export interface Principal {
  /** Id of the API key, or `bootstrap` for the installation's own key. */
  readonly id: string;
  readonly name: string;
  readonly role: Role;
}

/** What an authenticator is made from. */
export interface AuthenticatorDependencies {
  /** Whether a text is the installation's own admin key. */
  isAdminKey(key: string): boolean;
  readonly keys: ApiKeyRepository;
  readonly logger: Logger;
  readonly now?: () => number;
}

const BOOTSTRAP: Principal = { id: 'bootstrap', name: 'bootstrap', role: 'admin' };
/** The last use is written this seldom, ms. */
const TOUCH_EVERY_MS = 60_000;
/** How long a key goes on working while the store cannot be asked, ms. */
const STALE_MS = 600_000;
const MAX_REMEMBERED = 1_000;

interface Remembered {
  readonly key: StoredApiKey;
  readonly at: number;
}

/** Finds out who a key belongs to. */
export class Authenticator {
  /** Keys that were good a short while ago: a store that is away must not lock administrators out. */
  readonly #remembered = new Map<string, Remembered>();
  readonly #touched = new Map<string, number>();

  constructor(private readonly dependencies: AuthenticatorDependencies) {}

  /**
   * `undefined` for no key, an unknown one, a revoked one and one that has expired.
   * @throws GatewayError `STORE_UNAVAILABLE` when nobody can tell
   */
  async authenticate(key: string | undefined): Promise<Principal | undefined> {
    if (key === undefined) return undefined;
    if (this.dependencies.isAdminKey(key)) return BOOTSTRAP;
    if (!isApiKey(key)) return undefined;
    const hash = hashSecret(key);
    const stored = await this.#find(apiKeyId(hash));
    if (stored === undefined || !sameHash(stored.keyHash, hash)) return undefined;
    const now = this.#now();
    if (stored.expiresAt !== null && stored.expiresAt <= now) return undefined;
    await this.#touch(stored.id, now);
    return { id: stored.id, name: stored.name, role: stored.role };
  }

  async #find(id: string): Promise<StoredApiKey | undefined> {
    try {
      const key = await this.dependencies.keys.get(id);
      if (key === undefined) this.#remembered.delete(id);
      else this.#remember(key);
      return key;
    } catch (error) {
      const known = this.#remembered.get(id);
      if (known === undefined || this.#now() - known.at > STALE_MS) throw error;
      return known.key;
    }
  }

  #remember(key: StoredApiKey): void {
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(key.id, { key, at: this.#now() });
  }

  async #touch(id: string, now: number): Promise<void> {
    if (now - (this.#touched.get(id) ?? -Infinity) < TOUCH_EVERY_MS) return;
    if (this.#touched.size >= MAX_REMEMBERED) this.#touched.clear();
    this.#touched.set(id, now);
    try {
      await this.dependencies.keys.touch(id, now);
    } catch (error) {
      this.dependencies.logger.debug({ key: id, err: error }, 'Failed to store the last use of an API key');
    }
  }

  #now(): number {
    return this.dependencies.now?.() ?? Date.now();
  }
}
