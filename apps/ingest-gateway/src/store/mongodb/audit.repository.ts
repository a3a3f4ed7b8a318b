import type { AuditQuery, AuditRepository, StoredAuditEntry } from '../repositories.js';
import type { KeyedDocument, MongoTable } from './mongodb-table.js';

/** The audit trail in MongoDB, of all gateways that share it: `{ _id: id, at, kind, ... }`. */
export class MongoAuditRepository implements AuditRepository {
  constructor(private readonly table: MongoTable) {}

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
}

function toEntry({ _id, ...fields }: KeyedDocument): StoredAuditEntry {
  return { id: _id, ...fields } as StoredAuditEntry;
}
