import { open, type Database, type Key, type RootDatabase } from 'lmdb';
import { TABLES, type SpoolKey, type TableName } from './format.js';

/** A key in one of the tables; `meta` and `streams` have plain texts. */
export type TableKey = SpoolKey | string;

/** An open spool file. Several threads and readers may have it open; one process writes (`claim`). */
export interface SpoolDatabase {
  readonly root: RootDatabase<Buffer, Key>;
  readonly tables: Readonly<Record<TableName, Database<Buffer, Key>>>;
}

/** A change to a table: a value to put, or without one a key to remove. */
export interface Change {
  readonly table: TableName;
  readonly key: TableKey;
  readonly value?: Uint8Array;
}

/** How a spool file is opened. */
export interface DatabaseOptions {
  readonly directory: string;
  /** Address space for the file, bytes: no spool grows beyond it. */
  readonly mapBytes: number;
  readonly readOnly?: boolean;
}

/** Names of the two files in a spool's directory. */
export const DATA_FILE = 'data.mdb';
export const LOCK_FILE = 'lock.mdb';

/** Opens the file alone; makes it where there is none, unless it is opened to be read. */
export function openRoot({
  directory,
  mapBytes,
  readOnly = false,
}: DatabaseOptions): RootDatabase<Buffer, Key> {
  return open<Buffer, Key>({
    path: directory,
    noSubdir: false,
    maxDbs: TABLES.length + 1,
    mapSize: mapBytes,
    encoding: 'binary',
    readOnly,
    // A commit is on disk before the call returns: data, fdatasync, then the root, written through (O_DSYNC).
    overlappingSync: false,
  });
}

/** Opens all tables and makes those that are missing. */
export function openTables(root: RootDatabase<Buffer, Key>): SpoolDatabase {
  const table = (name: TableName): Database<Buffer, Key> =>
    root.openDB<Buffer, Key>({ name, encoding: 'binary' });
  return {
    root,
    tables: {
      meta: table('meta'),
      index: table('index'),
      entries: table('entries'),
      frozen: table('frozen'),
      quarantine: table('quarantine'),
      streams: table('streams'),
    },
  };
}

/** Opens a file anew, for all who hold the object. Nobody else in the process may have it open. */
export async function reopen(database: SpoolDatabase, options: DatabaseOptions): Promise<void> {
  await database.root.close();
  Object.assign(database, openTables(openRoot(options)));
}

/**
 * Maps the file anew: pages that were read stay in the process's resident memory until then. Nothing runs between, so
 * that nobody meets a closed file. No other thread may have it open, or the mapping stays as it is.
 */
export function remap(database: SpoolDatabase, options: DatabaseOptions): void {
  void database.root.close();
  Object.assign(database, openTables(openRoot(options)));
}

/** Applies the changes in one transaction; all of them are on disk when it returns, or none if it throws. */
export function applyChanges({ root, tables }: SpoolDatabase, changes: readonly Change[]): void {
  root.transactionSync(() => {
    for (const { table, key, value } of changes) {
      if (value === undefined) void tables[table].remove(key as Key);
      else void tables[table].put(key as Key, value as Buffer);
    }
  });
}

/** All entries of a table in a lane, from an ordinal on. */
export function laneRange(
  sink: string,
  destination: string,
  from = 0,
  to = Number.MAX_SAFE_INTEGER,
): { start: Key; end: Key; inclusiveEnd: boolean } {
  return { start: [sink, destination, from], end: [sink, destination, to], inclusiveEnd: true };
}
