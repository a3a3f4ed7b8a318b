import type { EnrollmentTokenRepository, StoredEnrollmentToken } from '../repositories.js';
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

  async countUse(codeHash: string): Promise<void> {
    await this.table.changeQuietly((tokens) => tokens.updateOne({ _id: codeHash }, { $inc: { uses: 1 } }));
  }

  async purge(expiredBefore: number): Promise<void> {
    await this.table.changeQuietly((tokens) => tokens.deleteMany({ expiresAt: { $lt: expiredBefore } }));
  }
}

function toToken({ _id, ...fields }: KeyedDocument): StoredEnrollmentToken {
  return { codeHash: _id, ...fields } as StoredEnrollmentToken;
}
