import type { KnownAddressRepository, StoredAddress } from '../repositories.js';
import type { Documents } from './documents.js';

/** Addresses of agents in the embedded store: the time by the address. */
export class EmbeddedKnownAddressRepository implements KnownAddressRepository {
  constructor(private readonly documents: Documents<number>) {}

  async list(): Promise<StoredAddress[]> {
    return this.documents.entries().map(([address, at]) => ({ address, at }));
  }

  async note(seen: ReadonlyMap<string, number>): Promise<void> {
    await this.documents.write((table) => {
      for (const [address, at] of seen) if ((table.get(address) ?? -1) < at) table.put(address, at);
    });
  }

  async trim(before: number, keep: number): Promise<void> {
    await this.documents.write((table) => {
      const entries = table.keys().map((address): [string, number] => [address, table.get(address) ?? 0]);
      const newestFirst = entries.sort(([, a], [, b]) => b - a);
      for (const [index, [address, at]] of newestFirst.entries()) {
        if (index >= keep || at < before) table.remove(address);
      }
    });
  }
}
