import type { SettingsRepository } from '../repositories.js';
import type { MongoTable } from './mongodb-table.js';

/** Overrides of settings in MongoDB: `{ _id: name, value }`. */
export class MongoSettingsRepository implements SettingsRepository {
  constructor(private readonly table: MongoTable) {}

  async list(): Promise<ReadonlyMap<string, number | boolean>> {
    const documents = await this.table.list();
    return new Map(documents.map(({ _id, value }) => [_id, value as number | boolean]));
  }

  set(key: string, value: number | boolean): Promise<void> {
    return this.table.put(key, { value });
  }

  delete(key: string): Promise<boolean> {
    return this.table.remove(key);
  }
}
