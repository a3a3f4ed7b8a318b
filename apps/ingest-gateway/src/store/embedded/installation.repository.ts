import type { InstallationRepository } from '../repositories.js';
import type { Documents } from './documents.js';

/** Facts of this installation in the embedded store. */
export class EmbeddedInstallationRepository implements InstallationRepository {
  constructor(private readonly documents: Documents<string>) {}

  async get(key: string): Promise<string | undefined> {
    return this.documents.get(key);
  }

  set(key: string, value: string): Promise<void> {
    return this.documents.put(key, value);
  }

  setOnce(key: string, value: string): Promise<string> {
    return this.documents.write((table) => {
      const stored = table.get(key);
      if (stored !== undefined) return stored;
      table.put(key, value);
      return value;
    });
  }

  increment(key: string): Promise<number> {
    return this.documents.write((table) => {
      const next = Number(table.get(key) ?? '0') + 1;
      table.put(key, String(next));
      return next;
    });
  }
}
