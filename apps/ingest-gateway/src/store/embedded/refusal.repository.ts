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

  delete(spkiHash: string): Promise<boolean> {
    return this.documents.remove(spkiHash);
  }
}
