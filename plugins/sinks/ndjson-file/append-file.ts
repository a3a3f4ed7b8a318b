import { open, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Opens a file; a test may put another in its place. */
export type OpenFile = (path: string, flags: string) => Promise<FileHandle>;

/**
 * One file that is only appended to, by one writer. An append is in the file as a whole or not at all: what a failed one
 * left behind is cut off again, at the latest before the next one.
 */
export class AppendFile {
  #file: FileHandle | undefined;
  /** Size to cut the file back to, bytes; set while a failed append may have left something behind. */
  #cutTo: number | undefined;
  /** The last thing that was asked for: the next waits for it. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param fsync whether an append waits until the disk has it */
  constructor(
    private readonly path: string,
    private readonly fsync: boolean,
    private readonly openFile: OpenFile = open,
  ) {}

  /**
   * Appends buffers after all appends before it have ended.
   * @throws whatever the file system says, or the signal's reason when it has aborted before the first byte
   */
  append(buffers: readonly Uint8Array[], signal: AbortSignal): Promise<void> {
    return this.#inTurn(async () => {
      signal.throwIfAborted();
      const file = await this.#current();
      await this.#restore(file);
      const { size } = await file.stat();
      this.#cutTo = size;
      try {
        await writeAll(file, buffers);
        if (this.fsync) await file.datasync();
        this.#cutTo = undefined;
      } catch (error) {
        // If this fails too, it is tried again before the next append.
        await this.#restore(file).catch(() => undefined);
        throw error;
      }
    });
  }

  /** Closes the file after all appends have ended; a later append opens it again. */
  close(): Promise<void> {
    return this.#inTurn(() => this.#close());
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** The open file, if it is still the one at its path: a rotation renames or removes it. */
  async #current(): Promise<FileHandle> {
    if (this.#file !== undefined) {
      const [own, atPath] = await Promise.all([this.#file.stat(), statOrNothing(this.path)]);
      if (atPath !== undefined && atPath.ino === own.ino && atPath.dev === own.dev) return this.#file;
      // A file that is not ours any more must not hold up the new one.
      await this.#restore(this.#file).catch(() => undefined);
      await this.#close();
    }
    this.#file = await this.openFile(this.path, 'a');
    if (this.fsync) await syncDirectory(dirname(this.path));
    return this.#file;
  }

  async #restore(file: FileHandle): Promise<void> {
    if (this.#cutTo === undefined) return;
    await file.truncate(this.#cutTo);
    this.#cutTo = undefined;
  }

  async #close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#cutTo = undefined;
    await file?.close();
  }
}

/** One system call for everything, as long as the system takes it in one. */
async function writeAll(file: FileHandle, buffers: readonly Uint8Array[]): Promise<void> {
  const total = buffers.reduce((sum, { length }) => sum + length, 0);
  if (total === 0) return;
  const { bytesWritten } = await file.writev([...buffers]);
  if (bytesWritten < total) await file.writeFile(Buffer.concat(buffers).subarray(bytesWritten));
}

async function statOrNothing(path: string): Promise<{ ino: number; dev: number } | undefined> {
  try {
    return await stat(path);
  } catch {
    return undefined;
  }
}

/** Makes a new file's name durable. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
