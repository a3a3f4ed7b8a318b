import { statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DATA_FILE } from './database.js';

/** How much a spool may take. */
export interface RoomLimits {
  /** Encoded bytes and what keeping them costs. */
  readonly maxBytes: number;
  /** Bytes of the file system that stay free for others, above all for ClickHouse and for making room. */
  readonly diskReserveBytes: number;
}

/** Why nothing can be appended. */
export interface SpoolFull {
  readonly why: 'limit' | 'disk';
  /** One sentence for operators. */
  readonly reason: string;
}

/** A spool file is never packed tight: pages are filled in part, and those freed last are not used again at once. */
const LOOSENESS = 1.25;
const SLACK_BYTES = 8 * 1024 * 1024;
/** How long a look at the file system is good for, ms. */
const LOOK_EVERY_MS = 100;

/** Says whether there is room, before the disk is full. */
export class DiskSpace {
  #lookedAt = -Infinity;
  #diskFree = Infinity;
  #fileBytes = 0;
  #grown = 0;

  constructor(
    private readonly directory: string,
    private readonly limits: RoomLimits,
  ) {}

  /** Free bytes of the file system, as last seen. */
  get diskFreeBytes(): number {
    return this.#diskFree;
  }

  /**
   * Whether there is room for so many bytes more.
   * @param used what entries on disk cost, bytes
   * @param wanted bytes to be appended
   */
  check(used: number, wanted: number): SpoolFull | undefined {
    const { maxBytes, diskReserveBytes } = this.limits;
    // Whatever its size, one append fits into an empty spool: it could never go anywhere else.
    if (used > 0 && used + wanted > maxBytes) {
      const reason = `The spool is full: ${mib(used)} of ${mib(maxBytes)} wait for the sinks. Sources are paused.`;
      return { why: 'limit', reason };
    }
    this.#look();
    const inside = Math.max(0, this.#fileBytes - used * LOOSENESS - SLACK_BYTES);
    const growth = (this.#grown + wanted) * LOOSENESS;
    if (Math.max(0, this.#diskFree - diskReserveBytes) + inside > growth) return undefined;
    const reason = `The disk of the spool has ${mib(this.#diskFree)} left, ${mib(diskReserveBytes)} are kept in reserve. Sources are paused.`;
    return { why: 'disk', reason };
  }

  /** So many bytes were appended: until the next look they may be of those that looked free. */
  grew(bytes: number): void {
    this.#grown += bytes;
  }

  #look(): void {
    const now = performance.now();
    if (now - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#lookedAt = now;
    this.#grown = 0;
    try {
      const { bavail, bsize } = statfsSync(this.directory);
      this.#diskFree = bavail * bsize;
      this.#fileBytes = statSync(join(this.directory, DATA_FILE), { throwIfNoEntry: false })?.size ?? 0;
    } catch {
      // A file system that does not say: what is written tells.
      this.#diskFree = Infinity;
    }
  }
}

/** Bytes as people read them, in MiB. */
export function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MiB`;
}
