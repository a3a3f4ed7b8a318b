import type { Database } from 'lmdb';
import { GatewayError } from '@activity-gateway/pipeline/api';

/** Whether the store is still open. lmdb throws from a timer, past every promise, when it is used after its end. */
export interface OpenState {
  closed: boolean;
}

/** One named table of the embedded store: JSON documents by text key, every write durable when its promise resolves. */
export class Documents<T> {
  readonly #writable: Writable<T> = {
    get: (key) => this.db.get(key),
    keys: () => [...this.db.getKeys()],
    put: (key, value) => this.db.putSync(key, value),
    remove: (key) => this.db.removeSync(key),
  };

  constructor(
    private readonly db: Database<T, string>,
    private readonly state: OpenState,
  ) {}

  get(key: string): T | undefined {
    this.#ensureOpen();
    return this.db.get(key);
  }

  entries(): [string, T][] {
    this.#ensureOpen();
    return [...this.db.getRange()].map(({ key, value }) => [key, value]);
  }

  values(): T[] {
    return this.entries().map(([, value]) => value);
  }

  /** Values in the reverse order of their keys, read as they are asked for. */
  newestFirst(): Iterable<T> {
    this.#ensureOpen();
    return this.db.getRange({ reverse: true }).map(({ value }) => value);
  }

  async put(key: string, value: T): Promise<void> {
    this.#ensureOpen();
    await durable(() => this.db.put(key, value));
  }

  /** Whether there was one. */
  remove(key: string): Promise<boolean> {
    return this.write((table) => table.remove(key));
  }

  /** Reads and writes in one transaction: nothing else writes in between, and all of it becomes durable or nothing. */
  async write<R>(action: (table: Writable<T>) => R): Promise<R> {
    this.#ensureOpen();
    return durable(() => this.db.transaction(() => action(this.#writable)));
  }

  #ensureOpen(): void {
    if (this.state.closed) throw new GatewayError('STORE_UNAVAILABLE', 'The store is closed.');
  }
}

/**
 * Whether an error is lmdb's word for a write that the disk refused. lmdb rejects promises of its own besides the one that
 * it gave to the writer, who handles it; nobody can handle those.
 */
export function isFailedCommit(error: unknown): error is { readonly commitError: Promise<never> } {
  return error instanceof Error && 'commitError' in error;
}

/**
 * Waits for a write. lmdb rejects one that the disk refuses with an error whose `commitError` is another promise, which
 * says why and rejects too; nobody else would handle it, and an unhandled rejection ends the process.
 * @throws GatewayError `STORE_UNAVAILABLE` with the reason
 */
async function durable<R>(write: () => PromiseLike<R>): Promise<R> {
  try {
    return await write();
  } catch (error) {
    if (!isFailedCommit(error)) throw error;
    const reason = await error.commitError.catch((cause: Error) => cause.message);
    throw new GatewayError(
      'STORE_UNAVAILABLE',
      `The store cannot write: ${reason}`,
      'Make sure that the disk of the data directory has room.',
      { cause: error },
    );
  }
}

/** A table inside a transaction. */
export interface Writable<T> {
  get(key: string): T | undefined;
  keys(): string[];
  put(key: string, value: T): void;
  /** Whether there was one. */
  remove(key: string): boolean;
}
