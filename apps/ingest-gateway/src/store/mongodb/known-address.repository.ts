import type { KnownAddressRepository, StoredAddress } from '../repositories.js';
import type { MongoTable } from './mongodb-table.js';

/** Addresses of agents in MongoDB: `{ _id: address, at }`. Other gateways read them now and then; no change is told. */
export class MongoKnownAddressRepository implements KnownAddressRepository {
  constructor(private readonly table: MongoTable) {}

  async list(): Promise<StoredAddress[]> {
    return (await this.table.list()).map(({ _id, ...fields }) => ({
      address: _id,
      at: Number(fields['at']),
    }));
  }

  async note(seen: ReadonlyMap<string, number>): Promise<void> {
    if (seen.size === 0) return;
    const updates = [...seen].map(([_id, at]) => ({
      updateOne: { filter: { _id }, update: { $max: { at } }, upsert: true },
    }));
    await this.table.changeQuietly((addresses) => addresses.bulkWrite(updates, { ordered: false }));
  }

  async trim(before: number, keep: number): Promise<void> {
    await this.table.changeQuietly((addresses) => addresses.deleteMany({ at: { $lt: before } }));
    const newestFirst = (await this.list()).sort((a, b) => b.at - a.at);
    const surplus = newestFirst.slice(keep).map(({ address }) => address);
    if (surplus.length === 0) return;
    await this.table.changeQuietly((addresses) => addresses.deleteMany({ _id: { $in: surplus } }));
  }
}
