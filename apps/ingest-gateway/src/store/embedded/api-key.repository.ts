import type { ApiKeyRepository, StoredApiKey } from '../repositories.js';
import type { Documents } from './documents.js';

/** Keys for the REST API in the embedded store. */
export class EmbeddedApiKeyRepository implements ApiKeyRepository {
  constructor(private readonly documents: Documents<StoredApiKey>) {}

  async list(): Promise<StoredApiKey[]> {
    return this.documents.values();
  }

  async get(id: string): Promise<StoredApiKey | undefined> {
    return this.documents.get(id);
  }

  insert(key: StoredApiKey): Promise<void> {
    return this.documents.put(key.id, key);
  }

  async touch(id: string, at: number): Promise<void> {
    await this.documents.write((table) => {
      const key = table.get(id);
      if (key !== undefined && (key.lastUsedAt ?? -1) < at) table.put(id, { ...key, lastUsedAt: at });
    });
  }

  delete(id: string): Promise<boolean> {
    return this.documents.remove(id);
  }
}
