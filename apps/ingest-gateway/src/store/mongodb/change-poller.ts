import type { Logger } from '@activity-gateway/pipeline/api';
import type { StoreChanges } from '../repositories.js';
import type { MongoConnection } from './mongodb-connection.js';
import type { Revision } from './revision.js';

/** How often the revision is read, ms: a change acts elsewhere within this and the time of one reload. */
const POLL_MS = 1_000;

/** What a poller works with. */
export interface ChangePollerDependencies {
  readonly connection: MongoConnection;
  readonly revision: Revision;
  /** Makes what the store needs before its first use; repeatable. */
  readonly prepare: () => Promise<void>;
  /** All is read anew this often, ms: a gateway that died after a change, before it told of it, leaves no other trace. */
  readonly reloadMs: number;
  readonly logger: Logger;
}

/**
 * Reads the revision each second. That is how changes of other gateways get here, and how it is noticed that the server
 * has gone or come back.
 */
export class ChangePoller implements StoreChanges {
  readonly #listeners = new Set<() => Promise<void>>();
  /** Those that have not taken the newest change yet. */
  readonly #due = new Set<() => Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #closed = false;
  #prepared = false;
  /** The revision up to which changes have been noticed; nothing when all may have changed. */
  #base: number | undefined;
  #toldAt = 0;

  constructor(private readonly dependencies: ChangePollerDependencies) {}

  /** Begins; the first contact is tried at once. */
  start(): void {
    this.#schedule(0);
  }

  subscribe(listener: () => Promise<void>): () => void {
    const own = (): Promise<void> => listener();
    this.#listeners.add(own);
    // What was read before the subscription may be old already.
    this.#due.add(own);
    return () => {
      this.#listeners.delete(own);
      this.#due.delete(own);
    };
  }

  /** Ends; resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #schedule(delayMs: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#running = this.#poll().then(() => this.#schedule(POLL_MS));
    }, delayMs);
    this.#timer.unref();
  }

  async #poll(): Promise<void> {
    try {
      await this.#contact();
    } catch (error) {
      this.#base = undefined;
      if (!this.#closed) this.dependencies.connection.down(error);
      return;
    }
    for (const listener of [...this.#due]) await this.#tell(listener);
  }

  /** Rejects when the server cannot be used. */
  async #contact(): Promise<void> {
    const { connection, revision, prepare } = this.dependencies;
    const now = await revision.read();
    if (!this.#prepared) await connection.probe(prepare);
    this.#prepared = true;
    // A change of unknown outcome is news for this process too.
    const owed = revision.dirty || Date.now() - this.#toldAt > this.dependencies.reloadMs;
    const news = this.#base === undefined || revision.changedByOthers(this.#base, now) || owed;
    await revision.flush();
    connection.up();
    this.#base = now;
    if (news) this.#tellAll();
  }

  #tellAll(): void {
    this.#toldAt = Date.now();
    for (const listener of this.#listeners) this.#due.add(listener);
  }

  async #tell(listener: () => Promise<void>): Promise<void> {
    this.#due.delete(listener);
    try {
      await listener();
    } catch (error) {
      if (this.#listeners.has(listener)) this.#due.add(listener);
      this.dependencies.logger.warn({ err: error }, 'Failed to read changes of the store; retrying');
    }
  }
}
