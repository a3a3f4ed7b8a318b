import { constants } from 'node:fs';
import { lstat, open, opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@activity-gateway/pipeline/api';
import { OTHERS } from './private-files.js';

/** The closing of a data directory, which goes on beside the start. */
export interface Closing {
  /** Resolves when everything was looked at; does not reject. */
  readonly done: Promise<void>;
  /** Ends the work early; what is left is done at the next start. */
  stop(): Promise<void>;
}

/**
 * The parts of ClickHouse may be hundreds of thousands of files. A directory there is closed after all that is in it, so
 * that a closed one needs no look inside at later starts.
 */
const CLICKHOUSE_DATA = join('clickhouse', 'data');

/**
 * Takes a data directory and what is in it from the group and others: `0700` and `0600`, also what an earlier version or
 * a copy left open. The directory itself and its entries are closed when this resolves, so that nobody comes further; the
 * rest follows in the background. What belongs to another user keeps its mode, with one warning, and no link is followed.
 */
export async function closeDataDirectory(directory: string, logger: Logger): Promise<Closing> {
  const own = process.geteuid?.();
  if (own === undefined) return { done: Promise.resolve(), stop: () => Promise.resolve() };
  const work = new Work(directory, own, logger);
  await work.closeTop();
  const done = work.closeRest();
  return {
    done,
    stop: () => {
      work.stopped = true;
      return done;
    },
  };
}

class Work {
  stopped = false;
  #closed = 0;
  #failed = 0;
  #error: unknown;

  constructor(
    private readonly directory: string,
    private readonly own: number,
    private readonly logger: Logger,
  ) {}

  async closeTop(): Promise<void> {
    const { directory, logger } = this;
    try {
      const { uid, mode } = await stat(directory);
      if (uid === this.own) await this.#close(directory, mode);
      else if ((mode & OTHERS) !== 0) {
        const shown = (mode & 0o7777).toString(8).padStart(4, '0');
        logger.warn(
          { directory, owner: uid, mode: shown },
          'Data directory belongs to another user; its mode is kept',
        );
      }
      for await (const { name } of await opendir(directory)) await this.#closeEntry(name, false);
    } catch (error) {
      this.#fail(error);
    }
  }

  async closeRest(): Promise<void> {
    await this.#closeEntries('');
    const { directory } = this;
    if (this.#closed > 0) {
      this.logger.info(
        { directory, entries: this.#closed },
        'Closed open files of the data directory to other users',
      );
    }
    if (this.#failed > 0) {
      const fields = { directory, entries: this.#failed, err: this.#error };
      this.logger.warn(fields, 'Failed to close some files of the data directory to other users');
    }
  }

  /** @param path relative to the data directory */
  async #closeEntries(path: string): Promise<void> {
    try {
      for await (const { name } of await opendir(join(this.directory, path))) {
        if (this.stopped) return;
        await this.#closeEntry(join(path, name), true);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  async #closeEntry(path: string, deep: boolean): Promise<void> {
    try {
      const full = join(this.directory, path);
      const entry = await lstat(full);
      if (entry.isSymbolicLink() || entry.uid !== this.own) return;
      const isOpen = (entry.mode & OTHERS) !== 0;
      const known = path.startsWith(`${CLICKHOUSE_DATA}/`) && !isOpen;
      if (deep && entry.isDirectory() && !known) await this.#closeEntries(path);
      if (isOpen && !(deep && this.stopped)) await this.#close(full, entry.mode);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** By a handle: a link that takes the place of what was looked at is not followed. */
  async #close(path: string, mode: number): Promise<void> {
    if ((mode & OTHERS) === 0) return;
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      await handle.chmod(mode & 0o7777 & ~OTHERS);
      this.#closed += 1;
    } finally {
      await handle.close();
    }
  }

  /** What has gone meanwhile needs no closing. */
  #fail(error: unknown): void {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    this.#failed += 1;
    this.#error ??= error;
  }
}
