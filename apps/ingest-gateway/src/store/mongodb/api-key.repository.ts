import type { ApiKeyRepository, StoredApiKey } from '../repositories.js';
import type { KeyedDocument, MongoTable } from './mongodb-table.js';

/** Keys for the REST API in MongoDB: `{ _id: id, keyHash, ... }`. Each request reads its key: nobody has to be told. */
export class MongoApiKeyRepository implements ApiKeyRepository {
  constructor(private readonly table: MongoTable) {}

  async list(): Promise<StoredApiKey[]> {
    return (await this.table.list()).map(toKey);
  }

  async get(id: string): Promise<StoredApiKey | undefined> {
    const document = await this.table.get(id);
    return document && toKey(document);
  }

  async insert({ id, ...fields }: StoredApiKey): Promise<void> {
    await this.table.changeQuietly((keys) => keys.replaceOne({ _id: id }, fields, { upsert: true }));
  }

  async touch(id: string, at: number): Promise<void> {
    // In the order of BSON every number is more than null.
    await this.table.changeQuietly((keys) => keys.updateOne({ _id: id }, { $max: { lastUsedAt: at } }));
  }

  async delete(id: string): Promise<boolean> {
    const { deletedCount } = await this.table.changeQuietly((keys) => keys.deleteOne({ _id: id }));
    return deletedCount > 0;
  }
}

function toKey({ _id, ...fields }: KeyedDocument): StoredApiKey {
  return { id: _id, ...fields } as StoredApiKey;
}
