import type { Collection } from 'mongodb';
import { FIRST_SCHEMA, refuseNewerSchema } from '../schema-version.js';

/** The document that says which version of the gateway has written the database. */
interface SchemaDocument {
  readonly _id: string;
  readonly version: string;
}

const ID = 'schema';

/** Keeps the gateway from a database that a later version has written, also one that does so while this one runs. */
export class SchemaCheck {
  #checkedAt = 0;

  /**
   * @param label names the server in messages
   * @param maxAgeMs how long a good answer holds, ms
   */
  constructor(
    private readonly collection: () => Collection<SchemaDocument>,
    private readonly label: string,
    private readonly maxAgeMs: number,
  ) {}

  /**
   * Asks for the version, and writes it where there is none.
   * @throws GatewayError `STORE_SCHEMA_NEWER`; what the driver throws
   */
  async run(): Promise<void> {
    if (Date.now() - this.#checkedAt < this.maxAgeMs) return;
    const document = await this.collection().findOneAndUpdate(
      { _id: ID },
      { $setOnInsert: { version: FIRST_SCHEMA } },
      { upsert: true, returnDocument: 'after' },
    );
    refuseNewerSchema(document?.version ?? FIRST_SCHEMA, `MongoDB at ${this.label}`, 'the database');
    this.#checkedAt = Date.now();
  }
}
