import { selectRejections, surplusRejections } from '../rejections.js';
import type { AuditQuery, AuditRepository, StoredAuditEntry, StoredRejection } from '../repositories.js';
import type { KeyedDocument, MongoTable } from './mongodb-table.js';

/** The audit trail in MongoDB, of all gateways that share it: `{ _id: id, at, kind, ... }`. */
export class MongoAuditRepository implements AuditRepository {
  constructor(
    private readonly table: MongoTable,
    private readonly rejections: MongoTable,
  ) {}

  async append({ id, ...fields }: StoredAuditEntry): Promise<void> {
    await this.table.changeQuietly((entries) => entries.replaceOne({ _id: id }, fields, { upsert: true }));
  }

  async list({ from, to, action, limit }: AuditQuery): Promise<StoredAuditEntry[]> {
    const at = { ...(from !== undefined && { $gte: from }), ...(to !== undefined && { $lt: to }) };
    const filter = {
      ...(Object.keys(at).length > 0 && { at }),
      ...(action !== undefined && { action }),
    };
    const found = await this.table.find(filter, { newestFirst: true, limit });
    return found.map(toEntry);
  }

  /** Ids sort in the order of time: what is older than the oldest that stays can go. */
  async trim(kind: StoredAuditEntry['kind'], keep: number): Promise<void> {
    const [last] = await this.table.find({ kind }, { newestFirst: true, skip: keep, limit: 1 });
    if (last === undefined) return;
    await this.table.changeQuietly((entries) => entries.deleteMany({ kind, _id: { $lte: last._id } }));
  }

  /** One atomic operation, so that the counts of several gateways add up. */
  async addRejection({ id, firstAt, count, ...latest }: StoredRejection): Promise<void> {
    const change = { $inc: { count }, $min: { firstAt }, $set: latest };
    await this.rejections.changeQuietly((all) => all.updateOne({ _id: id }, change, { upsert: true }));
  }

  async putRejection({ id, ...fields }: StoredRejection): Promise<void> {
    await this.rejections.changeQuietly((all) => all.replaceOne({ _id: id }, fields, { upsert: true }));
  }

  async listRejections(query: AuditQuery): Promise<StoredRejection[]> {
    return selectRejections(await this.#allRejections(), query);
  }

  async trimRejections(keep: number): Promise<void> {
    const surplus = surplusRejections(await this.#allRejections(), keep);
    if (surplus.length === 0) return;
    await this.rejections.changeQuietly((all) => all.deleteMany({ _id: { $in: surplus } }));
  }

  /** They are few: trimmed, and counted together. */
  async #allRejections(): Promise<StoredRejection[]> {
    return (await this.rejections.list()).map(
      ({ _id, ...fields }) => ({ id: _id, ...fields }) as StoredRejection,
    );
  }
}

function toEntry({ _id, ...fields }: KeyedDocument): StoredAuditEntry {
  return { id: _id, ...fields } as StoredAuditEntry;
}
