import type { EnrollmentTokenRepository, StoredEnrollmentToken, TokenState } from '../repositories.js';
import { tokenState } from '../token-state.js';
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

  revoke(codeHash: string, at: number): Promise<boolean> {
    return this.documents.write((table) => {
      const token = table.get(codeHash);
      if (token === undefined) return false;
      table.put(codeHash, { ...token, revokedAt: token.revokedAt ?? at });
      return true;
    });
  }

  tryUse(codeHash: string, at: number): Promise<'ok' | 'unknown' | Exclude<TokenState, 'live'>> {
    return this.documents.write((table) => {
      const token = table.get(codeHash);
      if (token === undefined) return 'unknown';
      const state = tokenState(token, at);
      if (state !== 'live') return state;
      table.put(codeHash, { ...token, uses: token.uses + 1 });
      return 'ok';
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
