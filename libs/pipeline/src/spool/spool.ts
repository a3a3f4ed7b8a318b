import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { StreamRange } from '../api/index.js';
import { BatchReader } from './batch-reader.js';
import type { Catalog } from './catalog.js';
import { filesSetAside, removeSpool } from './damage.js';
import { remap, reopen, type Change, type DatabaseOptions, type SpoolDatabase } from './database.js';
import { DiskSpace } from './disk-space.js';
import {
  encodeFreeze,
  encodeMeta,
  ENTRY_OVERHEAD_BYTES,
  type EntryMeta,
  type FreezeRecord,
  type SpoolKey,
} from './format.js';
import { GroupCommit, type Submitted } from './group-commit.js';
import { openSpoolFile } from './open-spool.js';
import { Quarantine } from './quarantine.js';
import { Siblings } from './siblings.js';
import { SpoolHealth } from './spool-health.js';
import { freezeRecord, type SpoolDestination } from './spool-destination.js';
import type { FrozenBatch, NewEntry, SpoolOptions } from './spool-types.js';
import { StreamTable } from './stream-table.js';
import { ThreadWriter } from './thread-writer.js';
import { InlineWriter, type SpoolWriter } from './writer.js';

/** MDB_PANIC: lmdb could not write the file's root. It serves no more until the file is opened anew; nothing is lost. */
const PANIC = -30795;
/**
 * Pages of the file that are read stay in the process's memory, though the system could take them back: after so many
 * bytes, and not more often than so many ms, the file is mapped anew. That takes 2 ms here, and 20 on the thread.
 */
const MAPPED = { bytes: 64 * 2 ** 20, everyMs: 2_000 };
/** Least address space for a file, bytes; it costs nothing until it is used. */
const MIN_MAP_BYTES = 4 * 2 ** 30;

/**
 * Opens the spool in a directory, and makes it where there is none.
 * @throws GatewayError `SPOOL_IN_USE`, `SPOOL_FORMAT_NEWER`, `SPOOL_UNUSABLE`
 */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { directory, limits, logger, signal } = options;
  const file = { directory, mapBytes: Math.max(MIN_MAP_BYTES, limits.maxBytes * 4) };
  const { database, catalog, release } = await openSpoolFile(file, logger, signal);
  const spool = new Spool(options, file, database, catalog, release);
  await spool.sweep();
  return spool;
}

/**
 * Encoded entries on disk, in one directory with one writer. What `append` calls durable survives the end of the process
 * and of the machine; entries leave in the order they came, in batches that are frozen before their first attempt.
 */
export class Spool {
  /** What it remembers of senders' streams. */
  readonly streams: StreamTable;
  readonly #room: DiskSpace;
  readonly #health: SpoolHealth;
  readonly #commits: GroupCommit;
  readonly #writer: SpoolWriter;
  readonly #reader: BatchReader;
  readonly #siblings: Siblings;
  readonly #quarantine: Quarantine;
  readonly #filesAside: readonly string[];
  #mappedAt = -Infinity;
  #closed: Promise<void> | undefined;

  /** Use `openSpool`. */
  constructor(
    private readonly options: SpoolOptions,
    private readonly file: DatabaseOptions,
    private readonly database: SpoolDatabase,
    private readonly catalog: Catalog,
    private readonly release: () => void,
  ) {
    const { directory, limits, thread = true, events } = options;
    this.#filesAside = filesSetAside(directory);
    this.#room = new DiskSpace(directory, limits);
    this.#health = new SpoolHealth(() => events.changed());
    this.#writer = thread ? new ThreadWriter(file) : new InlineWriter(database);
    this.#reader = new BatchReader(database);
    this.streams = new StreamTable(database, options.now);
    this.#siblings = new Siblings({
      waits: (key) => database.tables.index.doesExist(key as never),
      setAside: (key) => database.tables.quarantine.doesExist(key as never),
    });
    this.#commits = new GroupCommit({
      writer: this.#writer,
      room: (bytes) => this.#room.check(catalog.usedBytes, bytes),
      onRoom: (noRoom) => this.#health.noteRoom(noRoom),
      onFlushed: (ms, bytes) => {
        this.#room.grew(bytes);
        events.flushed(ms);
      },
      betweenFlushes: () => this.#letPagesGo(),
      onFailure: (error) => this.#failed(error),
    });
    this.#quarantine = new Quarantine({ options, catalog, commits: this.#commits, siblings: this.#siblings });
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

  /** Whether nothing can be appended, or could not a moment ago. */
  get full(): boolean {
    return this.#health.full;
  }

  /** Whether nothing waits for the disk. */
  get idle(): boolean {
    return this.#commits.idle;
  }

  get lanes(): Iterable<SpoolDestination> {
    return this.catalog.lanes;
  }

  /** What operators have to know, one sentence each. */
  get problems(): string[] {
    const { quarantined } = this;
    const aside = this.#filesAside.map(
      (name) => `The damaged file ${join(this.directory, name)} was set aside; what it held was not written.`,
    );
    if (quarantined === 0) return [...this.#health.problems, ...aside];
    const text = `${quarantined} damaged entries of the spool are set aside; \`gateway spool verify\` tells which.`;
    return [...this.#health.problems, ...aside, text];
  }

  /** The lane of a sink and destination. */
  lane(sink: string, destination: string): SpoolDestination {
    return this.catalog.lane(sink, destination);
  }

  /**
   * Appends entries of one group of events, at most one for each sink: all or none of them.
   * @param note plain JSON, given back when all of them are written
   * @returns `accepted`: more may be appended, `undefined` when that is so at once; `durable`: they are on disk and in
   *   their lanes. Neither rejects.
   */
  append(items: readonly NewEntry[], note: unknown): Submitted {
    const { changes, bytes, known } = this.#put(items, (keys, key) => metaSiblings(keys, key, note));
    const { accepted, durable } = this.#commits.append(changes, bytes);
    return { accepted, durable: durable.then(known) };
  }

  /** Changes that add entries, and what makes them known once these are on disk. */
  #put(
    items: readonly NewEntry[],
    more: (keys: readonly SpoolKey[], key: SpoolKey) => Pick<EntryMeta, 'note' | 'siblings'>,
  ): { changes: Change[]; bytes: number; known: () => void } {
    const keys = items.map(({ sink, entry }): SpoolKey => {
      const lane = this.lane(sink, entry.destination);
      return [sink, entry.destination, lane.next++];
    });
    let bytes = 0;
    const metas: EntryMeta[] = [];
    const changes: Change[] = [];
    for (const [i, item] of items.entries()) {
      const key = keys[i] as SpoolKey;
      const meta = { ...metaOf(item), ...more(keys, key) };
      metas.push(meta);
      bytes += meta.bytes + ENTRY_OVERHEAD_BYTES;
      changes.push({ table: 'index', key, value: encodeMeta(meta) });
      changes.push({ table: 'entries', key, value: item.entry.bytes });
    }
    return { changes, bytes, known: () => this.#know(keys, metas) };
  }

  /** What `work` appends, and that the ranges it returns are stored, is on disk at once or not at all. Resolves when the ranges are. */
  atomically(work: () => readonly StreamRange[]): Promise<void> {
    let remembered = Promise.resolve();
    this.#commits.atomically(() => (remembered = this.remember(work())));
    remembered.catch((error: unknown) => {
      // The messages are stored all the same; only a resend of them would not be recognised.
      this.options.logger.error({ err: error }, 'Failed to store the streams of the spool');
    });
    return remembered;
  }

  /** Remembers ranges of streams; resolves when that is on disk. */
  async remember(ranges: readonly StreamRange[]): Promise<void> {
    if (ranges.length === 0) return;
    const { changes, stored } = this.streams.add(ranges);
    await this.#commits.append(changes, 0).durable;
    stored();
  }

  /**
   * Freezes the next batch of a lane: one of an earlier process as it was, else entries of one epoch up to the limits
   * and at least one. Resolves when that is on disk; `undefined` when there is nothing.
   */
  async freeze(lane: SpoolDestination, maxRows: number, maxBytes: number): Promise<FrozenBatch | undefined> {
    const recovered = lane.recovered.shift();
    if (recovered !== undefined) return this.#readRecovered(lane, recovered);
    while (lane.entries > 0) {
      const { chosen, damaged } = this.#reader.choose(lane, maxRows, maxBytes);
      if (chosen.length + damaged.length === 0) return undefined;
      const { entries, good, bad, buffer } = await this.#reader.read(lane, chosen);
      await this.#quarantine.take(lane, [...damaged, ...bad], false);
      if (good.length === 0) continue;
      const record = freezeRecord(lane.destination, good, this.options.now());
      lane.frozen.set(record.token, record);
      await this.#commits.change([{ ...freezeKey(lane, record), value: encodeFreeze(record) }]);
      return { lane, record, chosen: good, entries, buffer };
    }
    return undefined;
  }

  /**
   * The batch is written: its entries and its freeze record go, in one transaction. Resolves when that is on disk.
   * @param appended entries that come in their place, in the same transaction, also when nothing else can be appended. Only
   *   to lanes that get no others: what waits to be appended has lower ordinals
   * @param done nobody uses the entries' bytes any more; not so after an attempt that failed, of which something may be
   *   under way in a socket
   */
  async commit(
    { lane, record, chosen, buffer }: FrozenBatch,
    done = false,
    appended: readonly NewEntry[] = [],
  ): Promise<void> {
    if (done) this.#reader.buffers.give(buffer);
    const { events } = this.options;
    const ended: (() => void)[] = [];
    const changes: Change[] = [freezeKey(lane, record)];
    for (const { ordinal, meta } of chosen) {
      const key: SpoolKey = [lane.sink, lane.destination, ordinal];
      changes.push({ table: 'index', key }, { table: 'entries', key });
      const end = this.#siblings.beginRemoval(key, meta, false);
      if (end !== undefined) ended.push(() => events[end]({ note: meta.note, id: meta.id }));
    }
    const added = this.#put(appended, () => ({ note: undefined }));
    await this.#commits.change([...changes, ...added.changes]);
    added.known();
    lane.frozen.delete(record.token);
    for (const { ordinal, meta } of chosen) {
      this.#siblings.endRemoval([lane.sink, lane.destination, ordinal]);
      this.catalog.remove(meta.bytes);
    }
    for (const tell of ended) tell();
    this.#commits.wake();
  }

  /** Sets aside what opening has found damaged. */
  sweep(): Promise<void> {
    return this.#quarantine.sweep();
  }

  /**
   * Closes an empty spool and removes its files while it is still claimed: whoever waits for the claim then sees that
   * they are gone, and does not work on files that nobody finds again.
   */
  async remove(): Promise<void> {
    removeSpool(this.directory);
    await this.close();
  }

  /** Writes nothing more and closes; what was not durable is not kept. Safe twice. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#health.close();
    await this.#commits.stop();
    await this.#writer.close();
    try {
      this.release();
    } catch (error) {
      // The claim ends with the process as well.
      this.options.logger.debug({ err: error }, 'Failed to return a spool');
    }
    await this.database.root.close();
  }

  #letPagesGo(): Promise<void> | undefined {
    const early = performance.now() - this.#mappedAt < MAPPED.everyMs;
    return early || this.#reader.mappedBytes < MAPPED.bytes ? undefined : this.#remap();
  }

  async #remap(): Promise<void> {
    try {
      await this.#writer.closeFile();
      if (this.#reader.busy) return;
      remap(this.database, this.file);
      this.#reader.mappedBytes = 0;
      this.#mappedAt = performance.now();
    } catch (error) {
      this.options.logger.error({ err: error }, 'Failed to map the spool again');
    }
  }

  async #failed(error: Error | undefined): Promise<void> {
    this.#health.noteFailure(error, this.#room.diskFreeBytes);
    if ((error as { code?: unknown } | undefined)?.code !== PANIC) return;
    try {
      await this.#writer.release();
      await reopen(this.database, this.file);
    } catch (again) {
      this.options.logger.error({ err: again }, 'Failed to open the spool again');
    }
  }

  /** Appended entries are on disk: from now on they may be frozen. */
  #know(keys: readonly SpoolKey[], metas: readonly EntryMeta[]): void {
    for (const [i, meta] of metas.entries()) {
      const [sink, destination] = keys[i] as SpoolKey;
      this.catalog.count(meta.bytes);
      this.lane(sink, destination).add(meta);
    }
  }

  async #readRecovered(lane: SpoolDestination, record: FreezeRecord): Promise<FrozenBatch | undefined> {
    const { chosen, damaged } = this.#reader.between(lane, record);
    const { entries, good, bad, buffer } = await this.#reader.read(lane, chosen);
    await this.#quarantine.take(lane, [...damaged, ...bad], true);
    if (good.length > 0) return { lane, record, chosen: good, entries, buffer };
    lane.frozen.delete(record.token);
    await this.#commits.change([freezeKey(lane, record)]);
    return undefined;
  }
}

function freezeKey({ sink, destination }: SpoolDestination, { first }: FreezeRecord): Change {
  return { table: 'frozen', key: [sink, destination, first] };
}

function metaOf({ id, receivedAt, entry }: NewEntry): Omit<EntryMeta, 'note' | 'siblings'> {
  const { rows, bytes } = entry;
  return { id, rows, bytes: bytes.byteLength, receivedAt, crc: crc32(bytes) };
}

function metaSiblings(
  keys: readonly SpoolKey[],
  key: SpoolKey,
  note: unknown,
): Pick<EntryMeta, 'note' | 'siblings'> {
  return keys.length > 1 ? { note, siblings: keys.filter((other) => other !== key) } : { note };
}
