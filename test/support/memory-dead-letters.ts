import { Readable } from 'node:stream';
import type {
  DeadLetter,
  DeadLetterCount,
  DeadLetterFilter,
  DeadLetterSize,
  DeadLetterStore,
} from '../../apps/ingest-gateway/src/clickhouse/types.js';

/** Dead letters in an array, oldest first. It knows no pages, and of filters only `code`, `ids` and `replayed`. */
export class MemoryDeadLetters implements DeadLetterStore {
  letters: DeadLetter[] = [];

  async list(filter: DeadLetterFilter, limit: number): Promise<DeadLetter[]> {
    return this.#matching(filter).reverse().slice(0, limit);
  }

  async one(id: string): Promise<DeadLetter | undefined> {
    return this.letters.find((letter) => letter.id === id);
  }

  async counts(filter: DeadLetterFilter): Promise<DeadLetterCount[]> {
    const groups = new Map<string, DeadLetter[]>();
    for (const letter of this.#matching(filter)) {
      const key = `${letter.code} ${letter.stage}`;
      groups.set(key, [...(groups.get(key) ?? []), letter]);
    }
    return [...groups.values()].map((letters) => ({
      code: letters[0]!.code,
      stage: letters[0]!.stage,
      count: letters.length,
      replayed: letters.filter((letter) => letter.replayed_at !== null).length,
      first: letters[0]!.received_at,
      last: letters.at(-1)!.received_at,
    }));
  }

  async size(): Promise<DeadLetterSize> {
    return { rows: this.letters.length, bytes: JSON.stringify(this.letters).length };
  }

  async export(filter: DeadLetterFilter): Promise<Readable> {
    return Readable.from(
      this.#matching(filter).map((letter) => `${JSON.stringify(letter)}\n`),
      { objectMode: false },
    );
  }

  async pending(filter: DeadLetterFilter, limit: number, _: number, after?: unknown): Promise<DeadLetter[]> {
    return after === undefined ? this.#matching({ ...filter, replayed: false }).slice(0, limit) : [];
  }

  async markReplayed(ids: readonly string[], at: number): Promise<void> {
    const replayed_at = new Date(at).toISOString();
    this.letters = this.letters.map((letter) =>
      ids.includes(letter.id) ? { ...letter, replayed_at } : letter,
    );
  }

  #matching({ code, ids, replayed }: DeadLetterFilter): DeadLetter[] {
    return this.letters.filter(
      (letter) =>
        (code === undefined || letter.code === code) &&
        (ids === undefined || ids.includes(letter.id)) &&
        (replayed === undefined || (letter.replayed_at !== null) === replayed),
    );
  }
}
