import type { AgentRepository, StoredAgent } from '../repositories.js';
import type { KeyedDocument, MongoTable } from './mongodb-table.js';

/** The allowlist in MongoDB: `{ _id: spkiHash, hostname, ... }`. */
export class MongoAgentRepository implements AgentRepository {
  constructor(private readonly table: MongoTable) {}

  async list(): Promise<StoredAgent[]> {
    return (await this.table.list()).map(toAgent);
  }

  async get(spkiHash: string): Promise<StoredAgent | undefined> {
    const document = await this.table.get(spkiHash);
    return document && toAgent(document);
  }

  async upsert({ spkiHash, lastSeenAt, ...fields }: StoredAgent): Promise<void> {
    const update =
      lastSeenAt === null
        ? { $set: fields, $setOnInsert: { lastSeenAt } }
        : { $set: { ...fields, lastSeenAt } };
    await this.table.change((agents) => agents.updateOne({ _id: spkiHash }, update, { upsert: true }));
  }

  /** Nobody else acts on it, and it comes each second: no other gateway is told. */
  async touch(seen: ReadonlyMap<string, number>): Promise<void> {
    if (seen.size === 0) return;
    // In the order of BSON every number is more than null.
    const updates = [...seen].map(([_id, lastSeenAt]) => ({
      updateOne: { filter: { _id }, update: { $max: { lastSeenAt } } },
    }));
    await this.table.changeQuietly((agents) => agents.bulkWrite(updates, { ordered: false }));
  }

  delete(spkiHash: string): Promise<boolean> {
    return this.table.remove(spkiHash);
  }
}

function toAgent({ _id, ...fields }: KeyedDocument): StoredAgent {
  return { spkiHash: _id, ...fields } as StoredAgent;
}
