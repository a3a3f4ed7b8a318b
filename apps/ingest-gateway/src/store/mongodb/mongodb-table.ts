import type { Collection, Document, Filter } from 'mongodb';
import type { MongoConnection } from './mongodb-connection.js';
import { isDuplicateKey } from './mongodb-errors.js';
import type { Revision } from './revision.js';

/** A document by its key; the other fields are those of what it stands for. */
export interface KeyedDocument extends Document {
  readonly _id: string;
}

/**
 * One collection, its key in `_id`, whose index is unique. Each write is one atomic operation on single documents; a
 * write that others act on is told to them by the revision.
 */
export class MongoTable {
  constructor(
    private readonly collection: () => Collection<KeyedDocument>,
    private readonly connection: MongoConnection,
    private readonly revision: Revision,
  ) {}

  /** @throws GatewayError `STORE_UNAVAILABLE` */
  list(): Promise<KeyedDocument[]> {
    return this.connection.run(() => this.collection().find().toArray());
  }

  /** @throws GatewayError `STORE_UNAVAILABLE` */
  async get(key: string): Promise<KeyedDocument | undefined> {
    return (await this.connection.run(() => this.collection().findOne({ _id: key }))) ?? undefined;
  }

  /**
   * Those that fit, by key.
   * @throws GatewayError `STORE_UNAVAILABLE`
   */
  find(
    filter: Filter<KeyedDocument>,
    { newestFirst, skip = 0, limit }: { newestFirst: boolean; skip?: number; limit: number },
  ): Promise<KeyedDocument[]> {
    const order = { _id: newestFirst ? -1 : 1 } as const;
    return this.connection.run(() =>
      this.collection().find(filter).sort(order).skip(skip).limit(limit).toArray(),
    );
  }

  /**
   * Puts a document in the place of the one with its key, or adds it.
   * @throws GatewayError `STORE_UNAVAILABLE`; the outcome is then unknown
   */
  async put(key: string, fields: object): Promise<void> {
    await this.change((collection) => collection.replaceOne({ _id: key }, fields, { upsert: true }));
  }

  /**
   * Whether there was one.
   * @throws GatewayError `STORE_UNAVAILABLE`; the outcome is then unknown
   */
  /** @param fields only where the document has these values; in any case without */
  async remove(key: string, fields: Readonly<Record<string, unknown>> = {}): Promise<boolean> {
    const { deletedCount } = await this.change((collection) => collection.deleteOne({ ...fields, _id: key }));
    return deletedCount > 0;
  }

  /**
   * Runs a write that other gateways act on.
   * @throws GatewayError `STORE_UNAVAILABLE`; the outcome is then unknown
   */
  async change<T>(write: (collection: Collection<KeyedDocument>) => Promise<T>): Promise<T> {
    let result: T;
    try {
      result = await this.changeQuietly(write);
    } catch (error) {
      this.revision.markDirty();
      throw error;
    }
    await this.revision.increment();
    return result;
  }

  /**
   * Runs a write that no other gateway acts on, such as a count.
   * @throws GatewayError `STORE_UNAVAILABLE`; the outcome is then unknown
   */
  changeQuietly<T>(write: (collection: Collection<KeyedDocument>) => Promise<T>): Promise<T> {
    return this.connection.run(() => this.#again(write));
  }

  /** Two upserts of one new key can collide; the second attempt finds the document. */
  async #again<T>(write: (collection: Collection<KeyedDocument>) => Promise<T>): Promise<T> {
    try {
      return await write(this.collection());
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      return write(this.collection());
    }
  }
}
