import type { Readable } from 'node:stream';
import type {
  DeadLetter,
  DeadLetterCount,
  DeadLetterFilter,
  DeadLetterPosition,
  DeadLetterSize,
  DeadLetterStore,
} from './dead-letter-types.js';

/** Asks the ClickHouse that there is now, and turns what that fails with into a GatewayError. */
export type AskDeadLetters = <T>(question: (store: DeadLetterStore) => Promise<T>) => Promise<T>;

/** The dead letters of a server that may not be there yet. */
export class AskedDeadLetters implements DeadLetterStore {
  constructor(private readonly ask: AskDeadLetters) {}

  list(filter: DeadLetterFilter, limit: number, before?: DeadLetterPosition): Promise<DeadLetter[]> {
    return this.ask((queries) => queries.list(filter, limit, before));
  }

  one(id: string): Promise<DeadLetter | undefined> {
    return this.ask((queries) => queries.one(id));
  }

  counts(filter: DeadLetterFilter): Promise<DeadLetterCount[]> {
    return this.ask((queries) => queries.counts(filter));
  }

  size(): Promise<DeadLetterSize> {
    return this.ask((queries) => queries.size());
  }

  export(filter: DeadLetterFilter): Promise<Readable> {
    return this.ask((queries) => queries.export(filter));
  }

  pending(
    filter: DeadLetterFilter,
    limit: number,
    maxBytes: number,
    after?: DeadLetterPosition,
  ): Promise<DeadLetter[]> {
    return this.ask((queries) => queries.pending(filter, limit, maxBytes, after));
  }

  markReplayed(ids: readonly string[], at: number): Promise<void> {
    return this.ask((queries) => queries.markReplayed(ids, at));
  }
}
