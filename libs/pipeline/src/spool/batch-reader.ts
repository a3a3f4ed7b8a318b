import { crc32 } from 'node:zlib';
import type { EncodedEntry } from '../api/index.js';
import { BufferPool } from '../helpers/index.js';
import { frozenAt } from './catalog.js';
import { laneRange, type SpoolDatabase } from './database.js';
import { decodeMeta, epochOf, type FreezeRecord, type SpoolKey } from './format.js';
import type { ChosenEntry, SpoolDestination } from './spool-destination.js';

/** Entries that were chosen for a batch, and ordinals of records that cannot be read. */
export interface Chosen {
  readonly chosen: ChosenEntry[];
  readonly damaged: number[];
}

/** Entries with their bytes; `bad` ones have none or others than they should. */
export interface ReadEntries {
  readonly entries: EncodedEntry[];
  readonly good: ChosenEntry[];
  readonly bad: ChosenEntry[];
  /** What the entries' bytes are views of. */
  readonly buffer: Buffer;
}

/** Lanes that hold more than this may no longer be in the page cache: they are fetched on another thread first. */
const PREFETCH_BYTES = 64 * 1024 * 1024;

/** Whole pages are mapped, and one more for the head of a value. */
const PAGES_BYTES = 2 * 4096;

/** More than a few batches are seldom out at a time. */
const BATCH_BUFFERS = { minBytes: 256 * 1024, maxSpareBytes: 16 * 1024 * 1024 };

/** Reads batches from a spool. */
export class BatchReader {
  /** Bytes of the file that were read since this was set to 0, about: its resident pages. */
  mappedBytes = 0;
  #fetching = 0;

  /** Whoever is done with a batch gives its buffer back. */
  readonly buffers = new BufferPool(BATCH_BUFFERS);

  constructor(private readonly database: SpoolDatabase) {}

  /** Whether another thread reads the file for this one: it must not be closed. */
  get busy(): boolean {
    return this.#fetching > 0;
  }

  /**
   * Chooses the next entries of a lane that are not frozen, and moves its cursor beyond them: of one epoch, up to the
   * limits, at least one.
   */
  choose(lane: SpoolDestination, maxRows: number, maxBytes: number): Chosen {
    const chosen: ChosenEntry[] = [];
    const damaged: number[] = [];
    let rows = 0;
    let bytes = 0;
    let epoch: string | undefined;
    this.#fresh();
    lane.oldest = undefined;
    for (const { key, value } of this.database.tables.index.getRange(
      laneRange(lane.sink, lane.destination, lane.cursor),
    )) {
      const ordinal = (key as unknown as SpoolKey)[2];
      if (ordinal >= lane.next) break;
      if (frozenAt(lane, ordinal) !== undefined) {
        // A token names a range: nothing may lie inside it that was frozen under another one.
        if (chosen.length > 0) break;
        continue;
      }
      const meta = decodeMeta(value);
      if (meta === undefined) {
        damaged.push(ordinal);
        lane.cursor = ordinal + 1;
        continue;
      }
      rows += meta.rows;
      bytes += meta.bytes;
      epoch ??= epochOf(meta.id);
      if (chosen.length > 0 && (rows > maxRows || bytes > maxBytes || epochOf(meta.id) !== epoch)) {
        lane.oldest = meta.receivedAt;
        break;
      }
      chosen.push({ ordinal, meta });
      lane.subtract(meta);
      lane.cursor = ordinal + 1;
    }
    return { chosen, damaged };
  }

  /** The entries of a batch that an earlier process has frozen. */
  between(lane: SpoolDestination, { first, last }: FreezeRecord): Chosen {
    const chosen: ChosenEntry[] = [];
    const damaged: number[] = [];
    this.#fresh();
    const range = laneRange(lane.sink, lane.destination, first, last);
    for (const { key, value } of this.database.tables.index.getRange(range)) {
      const ordinal = (key as unknown as SpoolKey)[2];
      const meta = decodeMeta(value);
      if (meta === undefined) damaged.push(ordinal);
      else chosen.push({ ordinal, meta });
    }
    return { chosen, damaged };
  }

  /** Reads the bytes and checks them. */
  async read(lane: SpoolDestination, chosen: readonly ChosenEntry[]): Promise<ReadEntries> {
    const keys = chosen.map(({ ordinal }): SpoolKey => [lane.sink, lane.destination, ordinal]);
    if (lane.bytes > PREFETCH_BYTES) await this.#prefetch(keys);
    this.#fresh();
    const total = chosen.reduce((sum, { meta }) => sum + meta.bytes, 0);
    const read: ReadEntries = { entries: [], good: [], bad: [], buffer: this.buffers.take(total) };
    let at = 0;
    for (const [i, one] of chosen.entries()) {
      const { rows, id, bytes: length, crc } = one.meta;
      const bytes = read.buffer.subarray(at, at + length);
      this.mappedBytes += length + PAGES_BYTES;
      if (!this.#copy(keys[i] as SpoolKey, bytes) || crc32(bytes) !== crc) {
        read.bad.push(one);
        continue;
      }
      at += length;
      read.good.push(one);
      read.entries.push({ destination: lane.destination, bytes, rows, id });
    }
    return read;
  }

  /** Copies the bytes of an entry; returns whether there are as many as there should be. */
  #copy(key: SpoolKey, target: Buffer): boolean {
    const { entries } = this.database.tables;
    // What it returns is the database's own buffer, which the next reading changes; `lastSize` is how much of it counts.
    const found = entries.getBinaryFast(key as never);
    const { lastSize } = entries as unknown as { readonly lastSize: number };
    if (found === undefined || lastSize !== target.length) return false;
    target.set(found.subarray(0, lastSize));
    return true;
  }

  async #prefetch(keys: readonly SpoolKey[]): Promise<void> {
    this.#fetching += 1;
    try {
      await this.database.tables.entries.prefetch(keys as never);
    } finally {
      this.#fetching -= 1;
    }
  }

  /** Lets reads see what other threads have written. */
  #fresh(): void {
    this.database.root.resetReadTxn();
  }
}
