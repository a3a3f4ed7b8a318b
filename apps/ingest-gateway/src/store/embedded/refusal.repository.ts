import type { RefusalRepository, StoredRefusal } from '../repositories.js';
import type { Documents } from './documents.js';

/** Removed and denied keys in the embedded store. */
export class EmbeddedRefusalRepository implements RefusalRepository {
  constructor(private readonly documents: Documents<StoredRefusal>) {}

  async list(): Promise<StoredRefusal[]> {
    return this.documents.values();
  }

  async get(spkiHash: string): Promise<StoredRefusal | undefined> {
    return this.documents.get(spkiHash);
  }

  put(refusal: StoredRefusal): Promise<void> {
    return this.documents.put(refusal.spkiHash, refusal);
  }

  /** One process has the store, and changes of refusals come one after the other. */
  async delete({ spkiHash, removedAt, deniedAt }: StoredRefusal): Promise<boolean> {
    const now = this.documents.get(spkiHash);
    if (now?.removedAt !== removedAt || now.deniedAt !== deniedAt) return false;
    return this.documents.remove(spkiHash);
  }
}
