import { setImmediate as nextTurn } from 'node:timers/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Key } from 'lmdb';
import { GatewayError } from '../api/index.js';
import { readCatalog } from './catalog.js';
import { DATA_FILE, openRoot, openTables, type SpoolDatabase } from './database.js';
import { checkFile } from './file-header.js';
import { decodeMeta, SPOOL_FORMAT, type EntryMeta, type FreezeRecord, type SpoolKey } from './format.js';

/** What waits in a spool for one sink and destination. */
export interface LaneReport {
  readonly sink: string;
  readonly destination: string;
  /** Entries, frozen ones included, their rows and encoded bytes. */
  readonly entries: number;
  readonly rows: number;
  readonly bytes: number;
  /** When the oldest event was received, milliseconds since 1970-01-01 UTC; missing where nothing waits. */
  readonly oldest?: number;
  readonly frozen: readonly FreezeRecord[];
}

/** What is in a spool. */
export interface SpoolReport {
  readonly format: number;
  readonly lanes: readonly LaneReport[];
  /** Damaged entries that were set aside. */
  readonly quarantined: number;
}

/** An entry as it is on disk. */
export interface StoredEntry {
  readonly key: SpoolKey;
  /** Missing when the record is damaged. */
  readonly meta: EntryMeta | undefined;
  /** Missing when they are not there, or not those that were appended. */
  readonly bytes: Buffer | undefined;
}

/** Entries that are read in one go: a long look at one state would keep a running gateway from using room again. */
const CHUNK = 200;

/** Looks into a spool, beside a running gateway too; changes nothing. */
export class SpoolReader {
  /** Use `openSpoolReader`. */
  constructor(
    private readonly database: SpoolDatabase,
    private readonly format: number,
  ) {}

  async report(): Promise<SpoolReport> {
    const { lanes, quarantined } = await readCatalog(this.database);
    return {
      format: this.format,
      quarantined,
      lanes: [...lanes].map(({ sink, destination, entries, rows, bytes, oldest, frozen }) => {
        const records = [...frozen.values()];
        const sum = (of: (record: FreezeRecord) => number): number =>
          records.reduce((total, record) => total + of(record), 0);
        const first = Math.min(oldest ?? Infinity, ...records.map(({ receivedAt }) => receivedAt));
        return {
          sink,
          destination,
          entries: entries + sum((record) => record.entries),
          rows: rows + sum((record) => record.rows),
          bytes: bytes + sum((record) => record.bytes),
          ...(first < Infinity && { oldest: first }),
          frozen: records,
        };
      }),
    };
  }

  /** All entries in order, with bytes that are what they were when they were appended. */
  async *entries(): AsyncGenerator<StoredEntry> {
    let after: Key | undefined;
    for (;;) {
      const chunk = this.#chunk(after);
      yield* chunk;
      const last = chunk.at(-1);
      if (last === undefined) return;
      after = last.key as unknown as Key;
      await nextTurn();
    }
  }

  async close(): Promise<void> {
    await this.database.root.close();
  }

  #chunk(after: Key | undefined): StoredEntry[] {
    const { root, tables } = this.database;
    root.resetReadTxn();
    const range =
      after === undefined ? { limit: CHUNK } : { start: after, exclusiveStart: true, limit: CHUNK };
    const chunk: StoredEntry[] = [];
    for (const { key, value } of tables.index.getRange(range)) {
      const meta = decodeMeta(value);
      const bytes = tables.entries.getBinary(key);
      const intact = meta !== undefined && bytes !== undefined && crc32(bytes) === meta.crc;
      chunk.push({ key: key as unknown as SpoolKey, meta, bytes: intact ? bytes : undefined });
    }
    return chunk;
  }
}

/**
 * Opens a spool to be read.
 * @throws GatewayError `SPOOL_UNREADABLE` when there is none, or it is damaged or of a newer format
 */
export function openSpoolReader(directory: string): SpoolReader {
  const health = checkFile(join(directory, DATA_FILE), true);
  if (health !== 'good') throw unreadable(directory, REASONS[health]);
  const root = openRoot({ directory, mapBytes: 2 ** 30, readOnly: true });
  const database = openTables(root);
  // A table is missing where the spool was never used.
  if (Object.values(database.tables).some((table) => table === undefined)) {
    void root.close();
    throw unreadable(directory, REASONS.new);
  }
  const format = Number(database.tables.meta.get('format')?.toString() ?? SPOOL_FORMAT);
  if (format <= SPOOL_FORMAT) return new SpoolReader(database, format);
  void root.close();
  throw unreadable(
    directory,
    `it has format ${format}, and this version knows formats up to ${SPOOL_FORMAT}`,
  );
}

const REASONS = {
  new: 'it is empty',
  damaged: 'the file is damaged',
  foreign: 'another version of the database wrote it',
} as const;

function unreadable(directory: string, reason: string): GatewayError {
  const hint = 'Use the version of the gateway that wrote it; a damaged file is set aside at the next start.';
  return new GatewayError('SPOOL_UNREADABLE', `The spool in ${directory} cannot be read: ${reason}.`, hint);
}
