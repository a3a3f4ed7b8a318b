import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { EncodedEntry, Logger, StreamStretch } from '../api/index.js';
import { BatchReader } from './batch-reader.js';
import type { Catalog } from './catalog.js';
import type { Change, DatabaseOptions, SpoolDatabase } from './database.js';
import { filesSetAside } from './damage.js';
import { DiskRoom, mib, type NoRoom, type RoomLimits } from './disk-room.js';
import {
  encodeFreeze,
  encodeMeta,
  ENTRY_OVERHEAD_BYTES,
  type EntryMeta,
  type FreezeRecord,
  type SpoolKey,
} from './format.js';
import { GroupCommit } from './group-commit.js';
import { openSpoolFile } from './open-spool.js';
import { Siblings } from './siblings.js';
import { freezeRecord, type ChosenEntry, type SpoolLane } from './spool-lane.js';
import { StreamTable } from './stream-table.js';
import { ThreadWriter } from './thread-writer.js';
import { InlineWriter, type SpoolWriter } from './writer.js';

/** An entry to be appended. */
export interface NewEntry {
  readonly sink: string;
  /** Entry id, `<gateway>/<epoch>/<sequence>`. */
  readonly id: string;
  /** When its oldest event was received, milliseconds since 1970-01-01 UTC. */
  readonly receivedAt: number;
  readonly entry: EncodedEntry;
}

/** A batch that is frozen on disk: every attempt sends the same under the same token, whatever happens in between. */
export interface FrozenBatch {
  readonly lane: SpoolLane;
  readonly record: FreezeRecord;
  readonly chosen: readonly ChosenEntry[];
  readonly entries: readonly EncodedEntry[];
}

/** How the events of entries that were appended together have ended. */
export interface Ended {
  /** As it was given to `append`. */
  readonly note: unknown;
  /** Entry id. */
  readonly id: string;
}

/** What a spool tells. Not called before `openSpool` has resolved. */
export interface SpoolEvents {
  /** All sinks have written the events. */
  written(ended: Ended): void;
  /** Damage has kept the events from at least one sink; their bytes are set aside. */
  lost(ended: Ended): void;
  /** A flush took so many ms. */
  flushed(ms: number): void;
  /** `problems` says something else than before. */
  changed(): void;
}

/** How a spool is opened. */
export interface SpoolOptions {
  readonly directory: string;
  readonly limits: RoomLimits;
  readonly logger: Logger;
  readonly events: SpoolEvents;
  /** Whether a thread of its own waits for the disk; on by default. Needs the built program. */
  readonly thread?: boolean;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly now: () => number;
  /** Calls off waiting for another holder. */
  readonly signal: AbortSignal;
}

/** Least address space for a file, bytes; it costs nothing until it is used. */
const MIN_MAP_BYTES = 4 * 2 ** 30;
/** A write that fails with no more than this left of the disk has failed for that. lmdb calls a short write EIO. */
const DISK_FULL_BYTES = 16 * 2 ** 20;

/**
 * Opens the spool in a directory, and makes it where there is none.
 * @throws GatewayError `SPOOL_IN_USE`, `SPOOL_FORMAT_NEWER`, `SPOOL_UNUSABLE`
 */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { directory, limits, logger, signal } = options;
  const mapBytes = Math.max(MIN_MAP_BYTES, limits.maxBytes * 4);
  const file = { directory, mapBytes };
  const { database, catalog, release } = await openSpoolFile(file, logger, signal);
  const spool = new Spool(options, file, database, catalog, release);
  await spool.setAsideDamaged();
  return spool;
}

/**
 * Encoded entries on disk, in one directory with one writer. What `append` calls durable survives the end of the process
 * and of the machine; entries leave in the order they came, in batches that are frozen before their first attempt.
 */
export class Spool {
  /** What it remembers of agents' streams. */
  readonly streams: StreamTable;
  readonly #room: DiskRoom;
  readonly #commits: GroupCommit;
  readonly #writer: SpoolWriter;
  readonly #reader: BatchReader;
  readonly #siblings: Siblings;
  readonly #filesAside: readonly string[];
  #noRoom: NoRoom | undefined;
  #failure: string | undefined;
  #closed: Promise<void> | undefined;

  /** Use `openSpool`. */
  constructor(
    private readonly options: SpoolOptions,
    file: DatabaseOptions,
    private readonly database: SpoolDatabase,
    private readonly catalog: Catalog,
    private readonly release: () => void,
  ) {
    const { directory, limits, thread = true, events } = options;
    this.#filesAside = filesSetAside(directory);
    this.#room = new DiskRoom(directory, limits);
    this.#writer = thread ? new ThreadWriter(file) : new InlineWriter(database);
    this.#reader = new BatchReader(database);
    this.streams = new StreamTable(database, options.now);
    this.#siblings = new Siblings({
      waits: (key) => database.tables.index.doesExist(key as never),
      setAside: (key) => database.tables.quarantine.doesExist(key as never),
    });
    this.#commits = new GroupCommit({
      writer: () => this.#writer,
      room: (bytes) => this.#room.check(catalog.usedBytes, bytes),
      onRoom: (noRoom) => this.#note(noRoom, this.#failure),
      onFlushed: (ms) => events.flushed(ms),
      onFailure: (error) => this.#note(this.#noRoom, error && this.#describe(error)),
    });
  }

  get directory(): string {
    return this.options.directory;
  }

  /** Entries on disk, frozen ones included. */
  get entries(): number {
    return this.catalog.entries;
  }

  /** What the entries on disk cost of it, bytes. */
  get usedBytes(): number {
    return this.catalog.usedBytes;
  }

  /** Entries that were set aside because they are damaged. */
  get quarantined(): number {
    return this.catalog.quarantined;
  }

  /** Free bytes of the file system, as last seen. */
  get diskFreeBytes(): number {
    return this.#room.diskFreeBytes;
  }

  /** Whether nothing can be appended now. */
  get full(): boolean {
    return this.#noRoom !== undefined || this.#failure !== undefined;
  }

  /** Whether nothing waits for the disk. */
  get idle(): boolean {
    return this.#commits.idle;
  }

  get lanes(): Iterable<SpoolLane> {
    return this.catalog.lanes;
  }

  /** What operators have to know, one sentence each. */
  get problems(): string[] {
    const aside =
      this.quarantined === 0
        ? undefined
        : `${this.quarantined} damaged entries of the spool are set aside; \`gateway spool verify\` tells which.`;
    const files = this.#filesAside.map(
      (name) =>
        `The damaged spool file ${join(this.directory, name)} was set aside; what it held was not written.`,
    );
    return [this.#failure, this.#noRoom?.reason, aside, ...files].filter((problem) => problem !== undefined);
  }

  /** The lane of a sink and destination. */
  lane(sink: string, destination: string): SpoolLane {
    return this.catalog.lane(sink, destination);
  }

  /**
   * Appends entries of one group of events, at most one for each sink: all or none of them.
   * @param note plain JSON, given back when all of them are written
   * @returns `accepted`: more may be appended; `durable`: they are on disk and in their lanes. Neither rejects.
   */
  append(items: readonly NewEntry[], note: unknown): { accepted: Promise<void>; durable: Promise<void> } {
    const keys = items.map(({ sink, entry }): SpoolKey => {
      const lane = this.lane(sink, entry.destination);
      return [sink, entry.destination, lane.next++];
    });
    let bytes = 0;
    const metas: EntryMeta[] = [];
    const changes: Change[] = [];
    for (const [i, item] of items.entries()) {
      const key = keys[i] as SpoolKey;
      const meta = metaOf(item, note, keys.length > 1 ? keys.filter((other) => other !== key) : undefined);
      metas.push(meta);
      bytes += meta.bytes + ENTRY_OVERHEAD_BYTES;
      changes.push({ table: 'index', key, value: encodeMeta(meta) });
      changes.push({ table: 'entries', key, value: item.entry.bytes });
    }
    const { accepted, durable } = this.#commits.append(changes, bytes);
    const known = durable.then(() => {
      for (const [i, meta] of metas.entries()) {
        const [sink, destination] = keys[i] as SpoolKey;
        this.catalog.count(meta.bytes);
        this.lane(sink, destination).add(meta);
      }
    });
    return { accepted, durable: known };
  }

  /** What `work` appends, and that the stretches it returns are stored, is on disk at once or not at all. */
  together(work: () => readonly StreamStretch[]): void {
    this.#commits.together(() => {
      this.remember(work()).catch((error: unknown) => {
        // The messages are stored all the same; only a resend of them would not be recognised.
        this.options.logger.error({ err: error }, 'the spool could not remember streams');
      });
    });
  }

  /** Remembers stretches of streams; resolves when that is on disk. */
  async remember(stretches: readonly StreamStretch[]): Promise<void> {
    if (stretches.length === 0) return;
    const { changes, stored } = this.streams.add(stretches);
    await this.#commits.append(changes, 0).durable;
    stored();
  }

  /**
   * Freezes the next batch of a lane: one of an earlier process as it was, else entries of one epoch up to the limits
   * and at least one. Resolves when that is on disk; `undefined` when there is nothing.
   */
  async freeze(lane: SpoolLane, maxRows: number, maxBytes: number): Promise<FrozenBatch | undefined> {
    const recovered = lane.recovered.shift();
    if (recovered !== undefined) return this.#readRecovered(lane, recovered);
    while (lane.entries > 0) {
      const { chosen, damaged } = this.#reader.choose(lane, maxRows, maxBytes);
      if (chosen.length + damaged.length === 0) return undefined;
      const { entries, good, bad } = await this.#reader.read(lane, chosen);
      await this.#setAside(lane, [...damaged, ...bad]);
      if (good.length === 0) continue;
      const record = freezeRecord(lane.destination, good, this.options.now());
      lane.frozen.set(record.token, record);
      await this.#commits.change([
        { table: 'frozen', key: [lane.sink, lane.destination, record.first], value: encodeFreeze(record) },
      ]);
      return { lane, record, chosen: good, entries };
    }
    return undefined;
  }

  /** The batch is written: its entries and its freeze record go, in one transaction. Resolves when that is on disk. */
  async commit({ lane, record, chosen }: FrozenBatch): Promise<void> {
    const ended: Ended[] = [];
    const changes: Change[] = [{ table: 'frozen', key: [lane.sink, lane.destination, record.first] }];
    for (const { ordinal, meta } of chosen) {
      const key: SpoolKey = [lane.sink, lane.destination, ordinal];
      changes.push({ table: 'index', key }, { table: 'entries', key });
      if (this.#siblings.leaves(key, meta, false) === 'written') ended.push({ note: meta.note, id: meta.id });
    }
    await this.#commits.change(changes);
    lane.frozen.delete(record.token);
    for (const { ordinal, meta } of chosen) {
      this.#siblings.left([lane.sink, lane.destination, ordinal]);
      this.catalog.uncount(meta.bytes);
    }
    for (const one of ended) this.options.events.written(one);
    this.#commits.wake();
  }

  /** Sets aside the records that opening has found damaged. */
  async setAsideDamaged(): Promise<void> {
    const { damaged, damagedFreezes } = this.catalog;
    for (const key of damaged.splice(0)) await this.#quarantine(key, undefined);
    for (const key of damagedFreezes.splice(0)) {
      this.options.logger.error(
        { key },
        'a freeze record of the spool is damaged: its entries may be sent twice',
      );
      await this.#commits.change([{ table: 'frozen', key }]);
    }
  }

  /** Writes nothing more and closes; what was not durable is not kept. Safe twice. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#commits.stop();
    await this.#writer.close();
    try {
      this.release();
    } catch (error) {
      // The claim ends with the process as well.
      this.options.logger.debug({ err: error }, 'the spool could not be given back');
    }
    await this.database.root.close();
  }

  async #readRecovered(lane: SpoolLane, record: FreezeRecord): Promise<FrozenBatch | undefined> {
    const { chosen, damaged } = this.#reader.between(lane, record);
    const { entries, good, bad } = await this.#reader.read(lane, chosen);
    await this.#setAside(lane, [...damaged, ...bad], true);
    if (good.length > 0) return { lane, record, chosen: good, entries };
    lane.frozen.delete(record.token);
    await this.#commits.change([{ table: 'frozen', key: [lane.sink, lane.destination, record.first] }]);
    return undefined;
  }

  /** @param frozen whether they are in a frozen batch, so that the lane does not count them */
  async #setAside(
    lane: SpoolLane,
    damaged: readonly (ChosenEntry | number)[],
    frozen = false,
  ): Promise<void> {
    for (const one of damaged) {
      const ordinal = typeof one === 'number' ? one : one.ordinal;
      if (typeof one === 'number' && !frozen) lane.subtract({ rows: 0, bytes: 0 });
      await this.#quarantine(
        [lane.sink, lane.destination, ordinal],
        typeof one === 'number' ? undefined : one.meta,
      );
    }
  }

  /** Moves a damaged entry out of the way; its bytes stay where they are. */
  async #quarantine(key: SpoolKey, meta: EntryMeta | undefined): Promise<void> {
    const { events, logger, now } = this.options;
    logger.error(
      { key, entry: meta?.id },
      'an entry of the spool is damaged: it is set aside and not written',
    );
    const note = Buffer.from(JSON.stringify({ at: now(), ...meta }));
    const end = meta && this.#siblings.leaves(key, meta, true);
    await this.#commits.change([
      { table: 'quarantine', key, value: note },
      { table: 'index', key },
    ]);
    this.#siblings.left(key);
    this.catalog.quarantined += 1;
    if (meta !== undefined) this.catalog.uncount(meta.bytes);
    if (meta !== undefined && end === 'lost') events.lost({ note: meta.note, id: meta.id });
    events.changed();
  }

  #note(noRoom: NoRoom | undefined, failure: string | undefined): void {
    const same = noRoom?.why === this.#noRoom?.why && failure === this.#failure;
    this.#noRoom = noRoom;
    this.#failure = failure;
    if (!same) this.options.events.changed();
  }

  #describe(error: Error): string {
    const { code } = error as { code?: string | number };
    const free = this.#room.diskFreeBytes;
    if (free < DISK_FULL_BYTES)
      return `The disk of the spool is full: ${mib(free)} are left. Agents are held back.`;
    return `The spool cannot be written (${code ?? error.name}: ${error.message}). Agents are held back, it is tried again.`;
  }
}

function metaOf(item: NewEntry, note: unknown, siblings: readonly SpoolKey[] | undefined): EntryMeta {
  const { id, receivedAt, entry } = item;
  const { rows, bytes } = entry;
  const meta = { id, rows, bytes: bytes.byteLength, receivedAt, crc: crc32(bytes), note };
  return siblings === undefined ? meta : { ...meta, siblings };
}
