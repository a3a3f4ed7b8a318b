import { addRejections, selectRejections, surplusRejections } from '../rejections.js';
import type { AuditQuery, AuditRepository, StoredAuditEntry, StoredRejection } from '../repositories.js';
import type { Documents } from './documents.js';

/** The audit trail in the embedded store. */
export class EmbeddedAuditRepository implements AuditRepository {
  constructor(
    private readonly documents: Documents<StoredAuditEntry>,
    private readonly rejections: Documents<StoredRejection>,
  ) {}

  append(entry: StoredAuditEntry): Promise<void> {
    return this.documents.put(entry.id, entry);
  }

  async list({ from, to, action, limit }: AuditQuery): Promise<StoredAuditEntry[]> {
    const found: StoredAuditEntry[] = [];
    for (const entry of this.documents.newestFirst()) {
      if (found.length === limit || (from !== undefined && entry.at < from)) break;
      if (to !== undefined && entry.at >= to) continue;
      if (action === undefined || entry.action === action) found.push(entry);
    }
    return found;
  }

  async trim(kind: StoredAuditEntry['kind'], keep: number): Promise<void> {
    await this.documents.write((table) => {
      const keys = table.keys().filter((key) => table.get(key)?.kind === kind);
      for (const key of keys.slice(0, Math.max(0, keys.length - keep))) table.remove(key);
    });
  }

  addRejection(rejection: StoredRejection): Promise<void> {
    return this.rejections.write((table) => {
      table.put(rejection.id, addRejections(table.get(rejection.id), rejection));
    });
  }

  putRejection(rejection: StoredRejection): Promise<void> {
    return this.rejections.put(rejection.id, rejection);
  }

  async listRejections(query: AuditQuery): Promise<StoredRejection[]> {
    return selectRejections(this.rejections.values(), query);
  }

  async trimRejections(keep: number): Promise<void> {
    const surplus = surplusRejections(this.rejections.values(), keep);
    if (surplus.length === 0) return;
    await this.rejections.write((table) => surplus.forEach((id) => table.remove(id)));
  }
}
