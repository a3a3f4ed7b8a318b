import type { SettingsRepository } from '../repositories.js';
import type { Documents } from './documents.js';

/** Overrides of settings in the embedded store. */
export class EmbeddedSettingsRepository implements SettingsRepository {
  constructor(private readonly documents: Documents<number | boolean>) {}

  async list(): Promise<ReadonlyMap<string, number | boolean>> {
    return new Map(this.documents.entries());
  }

  set(key: string, value: number | boolean): Promise<void> {
    return this.documents.put(key, value);
  }

  delete(key: string): Promise<boolean> {
    return this.documents.remove(key);
  }
}
