import { GatewayError, type Logger } from '../api/index.js';
import { sleep } from '../helpers/index.js';
import type { Spool } from '../spool/index.js';

/** What is done with spools of reactors that are no more. */
export interface AdoptedSpoolsOptions {
  /** Opens the spool in a directory; rejects when it cannot be had now. */
  readonly open: (directory: string) => Promise<Spool>;
  /** An adopted spool is open: what it holds is to be written. */
  readonly joined: (spool: Spool) => void;
  /** An adopted spool is empty and about to be closed. */
  readonly left: (spool: Spool) => void;
  /** Takes over what an adopted spool remembers of streams; resolves when that is on disk. */
  readonly inherit: (spool: Spool) => Promise<void>;
  readonly logger: Logger;
}

/** How often a spool that another process still holds is asked for again, ms. */
const RETRY_MS = 5_000;

/** Spools of reactors that are no more: opened, written out, removed. */
export class AdoptedSpools {
  readonly #open = new Set<Spool>();
  readonly #known = new Set<string>();
  readonly #ended = new AbortController();
  readonly #opening = new Set<Promise<void>>();
  readonly #leaving = new Set<Promise<void>>();

  constructor(private readonly options: AdoptedSpoolsOptions) {}

  get spools(): Iterable<Spool> {
    return this.#open;
  }

  get count(): number {
    return this.#known.size;
  }

  /** Whether none is being opened or removed: what streams they remember can be told. */
  get quiet(): boolean {
    return this.#opening.size === 0 && this.#leaving.size === 0;
  }

  /** Takes over the spools in these directories; one that another process holds as soon as it is free. */
  adopt(directories: readonly string[]): void {
    for (const directory of directories) {
      if (this.#known.has(directory)) continue;
      this.#known.add(directory);
      const opening = this.#adopt(directory).finally(() => this.#opening.delete(opening));
      this.#opening.add(opening);
    }
  }

  /** Closes and removes those that are empty. */
  tidy(): void {
    for (const spool of this.#open) {
      if (spool.entries > 0 || spool.quarantined > 0 || !spool.idle) continue;
      this.#open.delete(spool);
      this.options.left(spool);
      const leaving = this.#remove(spool).finally(() => this.#leaving.delete(leaving));
      this.#leaving.add(leaving);
    }
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await Promise.all([...this.#opening, ...this.#leaving]);
    await Promise.all([...this.#open].map((spool) => spool.close()));
    this.#open.clear();
  }

  async #adopt(directory: string): Promise<void> {
    const { logger, open, joined } = this.options;
    const { signal } = this.#ended;
    while (!signal.aborted) {
      try {
        const spool = await open(directory);
        this.#open.add(spool);
        if (spool.entries > 0) {
          logger.info({ directory, entries: spool.entries }, 'Draining orphaned spool');
        }
        joined(spool);
        return this.tidy();
      } catch (error) {
        const known = error instanceof GatewayError;
        const reason = error instanceof Error ? error.message : String(error);
        logger.warn({ directory, reason }, 'Failed to open orphaned spool; retrying');
        if (!known || error.code === 'SPOOL_FORMAT_NEWER') return;
      }
      await sleep(RETRY_MS, signal);
    }
  }

  async #remove(spool: Spool): Promise<void> {
    const { signal } = this.#ended;
    let onAbort = (): void => undefined;
    const ended = new Promise<'ended'>((resolve) => (onAbort = () => resolve('ended')));
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const inherited = await Promise.race([ended, this.options.inherit(spool)]);
    signal.removeEventListener('abort', onAbort);
    // It is adopted again after the next start.
    if (inherited === 'ended') return spool.close();
    await spool.remove();
    this.#known.delete(spool.directory);
    this.options.logger.info({ directory: spool.directory }, 'Orphaned spool drained and removed');
  }
}
