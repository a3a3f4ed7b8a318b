import type { EnrollmentTokenRepository, StoredEnrollmentToken, TokenState } from '../repositories.js';
import { tokenState } from '../token-state.js';
import type { KeyedDocument, MongoTable } from './mongodb-table.js';

/** Enrollment tokens in MongoDB: `{ _id: codeHash, createdAt, ... }`. */
export class MongoEnrollmentTokenRepository implements EnrollmentTokenRepository {
  constructor(private readonly table: MongoTable) {}

  async list(): Promise<StoredEnrollmentToken[]> {
    return (await this.table.list()).map(toToken);
  }

  async get(codeHash: string): Promise<StoredEnrollmentToken | undefined> {
    const document = await this.table.get(codeHash);
    return document && toToken(document);
  }

  insert({ codeHash, ...fields }: StoredEnrollmentToken): Promise<void> {
    return this.table.put(codeHash, fields);
  }

  async revokeOthers(codeHash: string, at: number): Promise<void> {
    const others = { _id: { $ne: codeHash }, revokedAt: null, createdAt: { $lte: at } };
    await this.table.change((tokens) => tokens.updateMany(others, { $set: { revokedAt: at } }));
  }

  async revoke(codeHash: string, at: number): Promise<boolean> {
    await this.table.change((tokens) =>
      tokens.updateOne({ _id: codeHash, revokedAt: null }, { $set: { revokedAt: at } }),
    );
    return (await this.table.get(codeHash)) !== undefined;
  }

  /** The condition and the count are one operation on one document; only the reason for a refusal is read after it. */
  async tryUse(codeHash: string, at: number): Promise<'ok' | 'unknown' | Exclude<TokenState, 'live'>> {
    const live = {
      _id: codeHash,
      revokedAt: null,
      expiresAt: { $gt: at },
      $or: [{ maxUses: { $exists: false } }, { $expr: { $lt: ['$uses', '$maxUses'] } }],
    };
    const { modifiedCount } = await this.table.changeQuietly((tokens) =>
      tokens.updateOne(live, { $inc: { uses: 1 } }),
    );
    if (modifiedCount > 0) return 'ok';
    const token = await this.get(codeHash);
    if (token === undefined) return 'unknown';
    const state = tokenState(token, at);
    // It was not live a moment ago, and what has ended does not come back.
    return state === 'live' ? 'used-up' : state;
  }

  async purge(expiredBefore: number): Promise<void> {
    await this.table.changeQuietly((tokens) => tokens.deleteMany({ expiresAt: { $lt: expiredBefore } }));
  }
}

function toToken({ _id, ...fields }: KeyedDocument): StoredEnrollmentToken {
  return { codeHash: _id, ...fields } as StoredEnrollmentToken;
}
