import type { RefusalRepository, StoredRefusal } from '../repositories.js';
import type { KeyedDocument, MongoTable } from './mongodb-table.js';

/** Removed and denied keys in MongoDB: `{ _id: spkiHash, hostname, removedAt, deniedAt }`. */
export class MongoRefusalRepository implements RefusalRepository {
  constructor(private readonly table: MongoTable) {}

  async list(): Promise<StoredRefusal[]> {
    return (await this.table.list()).map(toRefusal);
  }

  async get(spkiHash: string): Promise<StoredRefusal | undefined> {
    const document = await this.table.get(spkiHash);
    return document && toRefusal(document);
  }

  put({ spkiHash, ...fields }: StoredRefusal): Promise<void> {
    return this.table.put(spkiHash, fields);
  }

  delete({ spkiHash, removedAt, deniedAt }: StoredRefusal): Promise<boolean> {
    return this.table.remove(spkiHash, { removedAt, deniedAt });
  }
}

function toRefusal({ _id, ...fields }: KeyedDocument): StoredRefusal {
  return { spkiHash: _id, ...fields } as StoredRefusal;
}
