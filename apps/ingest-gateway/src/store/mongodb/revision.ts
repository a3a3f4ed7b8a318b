import type { Collection } from 'mongodb';
import type { MongoConnection } from './mongodb-connection.js';

/** The document that every change counts up. */
export interface RevisionDocument {
  readonly _id: string;
  readonly value: number;
}

const ID = 'revision';

/** Tells other gateways of changes, by a number that they read each second, and knows this process's own ones. */
export class Revision {
  readonly #own = new Set<number>();
  #dirty = false;

  constructor(
    private readonly collection: () => Collection<RevisionDocument>,
    private readonly connection: MongoConnection,
  ) {}

  /**
   * Whether a change may have been made that others have not been told of: the count failed after it, or its own
   * outcome is unknown.
   */
  get dirty(): boolean {
    return this.#dirty;
  }

  /** A change may have been made. */
  markDirty(): void {
    this.#dirty = true;
  }

  /** A change was made and is durable. Does not reject: where it cannot be told now, `settle` tells it later. */
  async increment(): Promise<void> {
    try {
      this.#own.add(await this.connection.run(() => this.#increment()));
    } catch {
      this.#dirty = true;
    }
  }

  /** Tells what is owed. Rejects with the driver's error, and owes it still, when it cannot. */
  async flush(): Promise<void> {
    if (!this.#dirty) return;
    this.#dirty = false;
    try {
      this.#own.add(await this.connection.probe(() => this.#increment()));
    } catch (error) {
      this.#dirty = true;
      throw error;
    }
  }

  /** The number now; rejects with the driver's error. */
  async read(): Promise<number> {
    const document = await this.connection.probe(() => this.collection().findOne({ _id: ID }));
    return document?.value ?? 0;
  }

  /** Whether another process has changed something between two numbers; forgets what lies before the later one. */
  changedByOthers(since: number, now: number): boolean {
    let own = 0;
    for (const number of this.#own) {
      if (number > since && number <= now) own += 1;
      if (number <= now) this.#own.delete(number);
    }
    // A smaller number is another history: somebody has restored a backup.
    return now < since || now - since > own;
  }

  async #increment(): Promise<number> {
    const document = await this.collection().findOneAndUpdate(
      { _id: ID },
      { $inc: { value: 1 } },
      { upsert: true, returnDocument: 'after' },
    );
    return document?.value ?? 0;
  }
}
