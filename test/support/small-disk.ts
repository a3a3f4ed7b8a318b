import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pollUntil } from './poll.js';

const BLOCK_BYTES = 64 * 1024;

/** Why this process cannot have a file system of its own; `undefined` when it can, as far as one can tell before. */
export const noSmallDisk: string | undefined =
  process.platform === 'linux' && process.getuid?.() === 0
    ? undefined
    : 'a small file system can be mounted by root on Linux only';

/** A file system in memory that a test fills to the last byte. */
export class SmallDisk {
  readonly #ballast: string;
  readonly #unmountAtExit = (): void => void spawnSync('umount', ['-l', this.directory]);

  private constructor(readonly directory: string) {
    this.#ballast = join(directory, 'ballast');
    process.once('exit', this.#unmountAtExit);
  }

  /** Mounts one of so many bytes. @throws Error where that is not allowed, as in a container without the right */
  static async mount(bytes: number): Promise<SmallDisk> {
    const directory = await mkdtemp(join(tmpdir(), 'small-disk-'));
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'tmpfs', directory]);
    } catch (error) {
      await rm(directory, { recursive: true });
      throw error;
    }
    return new SmallDisk(directory);
  }

  /** Takes all the room that is left. */
  async fill(): Promise<void> {
    const file = await open(this.#ballast, 'a');
    try {
      for (let size = BLOCK_BYTES; size >= 1;) {
        const written = await file.write(Buffer.alloc(size)).then(
          ({ bytesWritten }) => bytesWritten,
          () => 0,
        );
        if (written < size) size = size >> 1;
      }
    } finally {
      await file.close();
    }
  }

  /** Gives the room back. */
  async free(): Promise<void> {
    await rm(this.#ballast, { force: true });
  }

  /** Safe once nothing uses it any more. */
  async unmount(): Promise<void> {
    await pollUntil('the disk to be let go of', () => run('umount', [this.directory]).then(() => true));
    process.off('exit', this.#unmountAtExit);
    await rm(this.directory, { recursive: true, force: true });
  }
}

const run = promisify(execFile);
