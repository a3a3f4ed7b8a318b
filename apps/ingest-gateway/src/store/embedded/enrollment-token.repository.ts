import type { EnrollmentTokenRepository, StoredEnrollmentToken } from '../repositories.js';
import type { Documents } from './documents.js';

/** Enrollment tokens in the embedded store. */
export class EmbeddedEnrollmentTokenRepository implements EnrollmentTokenRepository {
  constructor(private readonly documents: Documents<StoredEnrollmentToken>) {}

  async list(): Promise<StoredEnrollmentToken[]> {
    return this.documents.values();
  }

  async get(codeHash: string): Promise<StoredEnrollmentToken | undefined> {
    return this.documents.get(codeHash);
  }

  insert(token: StoredEnrollmentToken): Promise<void> {
    return this.documents.put(token.codeHash, token);
  }

  async revokeOthers(codeHash: string, at: number): Promise<void> {
    await this.documents.write((table) => {
      for (const key of table.keys()) {
        const token = table.get(key);
        if (key === codeHash || token === undefined || token.revokedAt !== null || token.createdAt > at)
          continue;
        table.put(key, { ...token, revokedAt: at });
      }
    });
  }

  async countUse(codeHash: string): Promise<void> {
    await this.documents.write((table) => {
      const token = table.get(codeHash);
      if (token !== undefined) table.put(codeHash, { ...token, uses: token.uses + 1 });
    });
  }

  async purge(expiredBefore: number): Promise<void> {
    await this.documents.write((table) => {
      for (const key of table.keys()) {
        const token = table.get(key);
        if (token !== undefined && token.expiresAt < expiredBefore) table.remove(key);
      }
    });
  }
}
