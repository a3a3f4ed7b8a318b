import { mib, type SpoolFull } from './disk-space.js';

/** How long after the last want of room the spool counts as full, ms: at its limit it has room every other moment. */
const FULL_FOR_MS = 1_000;
/** A write that fails with no more than this left of the disk has failed for that. lmdb calls a short write EIO. */
const DISK_FULL_BYTES = 16 * 2 ** 20;

/** Whether a spool can be appended to, and why not. */
export class SpoolHealth {
  #noRoom: SpoolFull | undefined;
  #failure: string | undefined;
  #calm: NodeJS.Timeout | undefined;

  /** @param changed called after each change */
  constructor(private readonly changed: () => void) {}

  /** Whether nothing can be appended, or could not a moment ago. */
  get full(): boolean {
    return this.#noRoom !== undefined || this.#failure !== undefined;
  }

  /** What operators have to know, one sentence each. */
  get problems(): string[] {
    return [this.#failure, this.#noRoom?.reason].filter((problem) => problem !== undefined);
  }

  /** What keeps appends from being written now; `undefined`: nothing does. */
  noteRoom(noRoom: SpoolFull | undefined): void {
    if (noRoom === undefined) {
      if (this.#noRoom !== undefined) this.#calm ??= setTimeout(() => this.#clear(), FULL_FOR_MS).unref();
      return;
    }
    clearTimeout(this.#calm);
    this.#calm = undefined;
    const before = this.#noRoom?.why;
    this.#noRoom = noRoom;
    if (before !== noRoom.why) this.changed();
  }

  /** A flush failed, or works again. */
  noteFailure(error: Error | undefined, diskFreeBytes: number): void {
    const failure = error && describe(error, diskFreeBytes);
    if (failure === this.#failure) return;
    this.#failure = failure;
    this.changed();
  }

  close(): void {
    clearTimeout(this.#calm);
  }

  #clear(): void {
    this.#calm = undefined;
    this.#noRoom = undefined;
    this.changed();
  }
}

function describe(error: Error, diskFreeBytes: number): string {
  if (diskFreeBytes < DISK_FULL_BYTES) {
    return `The disk of the spool is full: ${mib(diskFreeBytes)} are left. Sources are paused.`;
  }
  const { code = error.name } = error as { code?: string | number };
  return `The spool cannot be written (${code}: ${error.message}). Sources are paused, it is tried again.`;
}
