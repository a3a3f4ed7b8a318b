import { createHash } from 'node:crypto';
import { watch, type FSWatcher } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** How fast a watch notices a change. */
export interface FileWatchTimes {
  /** How long it waits after a sign of a change, as several come together, and between the two looks that must agree, ms. */
  readonly settleMs: number;
  /** How often it reads the files without a sign: some file systems give none, ms. */
  readonly pollMs: number;
}

const TIMES: FileWatchTimes = { settleMs: 100, pollMs: 5_000 };

/**
 * Tells when the contents of small files have changed, or when they have come or gone. It watches their directories, not
 * the files: those are replaced by renaming, and in a Kubernetes volume by turning a symbolic link of the directory.
 * What counts is the contents; signs and polls only say when to read them.
 */
export class FileWatch {
  readonly #directories: readonly string[];
  readonly #watchers = new Map<string, FSWatcher>();
  #timer: NodeJS.Timeout | undefined;
  #settle: NodeJS.Timeout | undefined;
  #seen: string | undefined;
  /** What the last look found: news only when the next one finds the same, as a file may be read half written. */
  #last: string | undefined;
  #running = false;

  /** @param changed called after each change, never before `start` or after `stop` */
  constructor(
    private readonly paths: readonly string[],
    private readonly changed: () => void,
    private readonly times: FileWatchTimes = TIMES,
  ) {
    this.#directories = [...new Set(paths.map((path) => dirname(path)))];
  }

  /** What is there when this resolves is not a change. Does not reject. */
  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    this.#watchDirectories();
    this.#last = this.#seen = await this.#contents();
    if (this.#running) this.#timer = setInterval(() => void this.#look(), this.times.pollMs).unref();
  }

  /** Ends it; `start` may be called again. */
  stop(): void {
    this.#running = false;
    clearInterval(this.#timer);
    clearTimeout(this.#settle);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  async #look(): Promise<void> {
    const now = await this.#contents();
    if (!this.#running) return;
    this.#watchDirectories();
    const settled = now === this.#last;
    this.#last = now;
    if (!settled) return this.#soon();
    if (now === this.#seen) return;
    this.#seen = now;
    this.changed();
  }

  #soon(): void {
    clearTimeout(this.#settle);
    if (this.#running) this.#settle = setTimeout(() => void this.#look(), this.times.settleMs).unref();
  }

  /** A directory that cannot be watched, or is not there yet, is tried again with each poll. */
  #watchDirectories(): void {
    for (const directory of this.#directories) {
      if (this.#watchers.has(directory)) continue;
      try {
        const watcher = watch(directory, { persistent: false }, () => this.#soon());
        watcher.on('error', () => this.#lost(directory, watcher));
        this.#watchers.set(directory, watcher);
      } catch {
        // The poll does without.
      }
    }
  }

  #lost(directory: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.#watchers.get(directory) === watcher) this.#watchers.delete(directory);
  }

  async #contents(): Promise<string> {
    return (await Promise.all(this.paths.map(fingerprint))).join(' ');
  }
}

/** A hash, so that no private key is kept; or why the file cannot be read. */
async function fingerprint(path: string): Promise<string> {
  try {
    return createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unreadable';
  }
}
