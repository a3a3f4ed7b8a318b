import { Inject, Injectable, Optional } from '@nestjs/common';
import { GatewayError, type Logger } from '@activity-gateway/pipeline/api';
import { LOGGER, STORE } from '../dependencies.js';
import { createSecret, hashSecret } from '../secrets.js';
import type { ApiKeyRepository, Store, StoredApiKey } from '../store/index.js';

/** What a key may do: `viewer` reads, `admin` changes too. */
export type Role = StoredApiKey['role'];

/** A new key, its clear text with it. */
export interface CreatedApiKey {
  /** Shown once. */
  readonly key: string;
  readonly stored: StoredApiKey;
}

/** What is asked of a new key. */
export interface ApiKeyOptions {
  readonly name: string;
  readonly role: Role;
  /** Milliseconds since 1970-01-01 UTC; never by default. */
  readonly expiresAt?: number;
}

/** Tells our keys from other secrets, for people and for scanners of leaked ones. */
const PREFIX = 'nak1.';
const KEY = /^nak1\.[A-Za-z0-9_-]{43}$/;
const ID_DIGITS = 16;

/** Whether a text has the form of a key. */
export function isApiKey(text: string): boolean {
  return KEY.test(text);
}

/** Id of the key with a hash: its first 16 digits. */
export function apiKeyId(keyHash: string): string {
  return keyHash.slice(0, ID_DIGITS);
}

/** Keys for the REST API beside the one of the installation. Stored hashed, never logged. */
@Injectable()
export class ApiKeysService {
  private readonly repository: ApiKeyRepository;
  private readonly logger: Logger;

  constructor(
    @Inject(STORE) { apiKeys }: Pick<Store, 'apiKeys'>,
    @Inject(LOGGER) logger: Logger,
    @Optional() private readonly now: () => number = Date.now,
  ) {
    this.repository = apiKeys;
    this.logger = logger.child({ component: 'api-keys' });
  }

  /** @throws GatewayError `BAD_REQUEST` for an end that is over already */
  async create({ name, role, expiresAt }: ApiKeyOptions): Promise<CreatedApiKey> {
    const createdAt = this.now();
    if (expiresAt !== undefined && expiresAt <= createdAt) {
      throw new GatewayError('BAD_REQUEST', 'The field "expiresAt" is not in the future.');
    }
    const key = PREFIX + createSecret();
    const keyHash = hashSecret(key);
    const id = apiKeyId(keyHash);
    const stored = { id, keyHash, name, role, createdAt, expiresAt: expiresAt ?? null, lastUsedAt: null };
    await this.repository.insert(stored);
    this.logger.info({ key: id, name, role }, 'API key created');
    return { key, stored };
  }

  /** Oldest first. */
  async list(): Promise<StoredApiKey[]> {
    return (await this.repository.list()).sort((a, b) => a.createdAt - b.createdAt);
  }

  /**
   * Ends a key at once.
   * @returns what it was
   * @throws GatewayError `API_KEY_UNKNOWN`
   */
  async revoke(id: string): Promise<StoredApiKey> {
    const stored = await this.repository.get(id);
    if (stored === undefined || !(await this.repository.delete(id))) {
      throw new GatewayError(
        'API_KEY_UNKNOWN',
        'No API key has this id.',
        'GET /api/v1/api-keys lists them.',
      );
    }
    this.logger.info({ key: id, name: stored.name }, 'API key revoked');
    return stored;
  }
}
