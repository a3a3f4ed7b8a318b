import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Key } from 'lmdb';
import type { SpoolDatabase } from './database.js';
import {
  decodeFreeze,
  ENTRY_OVERHEAD_BYTES,
  readNumbers,
  type FreezeRecord,
  type SpoolKey,
} from './format.js';
import { SpoolDestination } from './spool-destination.js';

/** Records that are read before others have their turn. */
const CHUNK = 10_000;

/** What a spool holds: lanes with their counts, and no bytes. */
export class Catalog {
  readonly #lanes = new Map<string, SpoolDestination>();
  /** Entries on disk, frozen ones included, and what they cost of the disk, bytes. */
  entries = 0;
  usedBytes = 0;
  /** Entries that were set aside because they are damaged. */
  quarantined = 0;
  /** Records that cannot be read: to be set aside. */
  readonly damaged: SpoolKey[] = [];
  /** Freeze records that cannot be read. */
  readonly damagedFreezes: SpoolKey[] = [];

  get lanes(): Iterable<SpoolDestination> {
    return this.#lanes.values();
  }

  /** The lane of a sink and destination; made if there is none. */
  lane(sink: string, destination: string): SpoolDestination {
    const key = `${sink}\0${destination}`;
    let lane = this.#lanes.get(key);
    if (lane === undefined) this.#lanes.set(key, (lane = new SpoolDestination(sink, destination)));
    return lane;
  }

  /** An entry is on disk. */
  count(bytes: number): void {
    this.entries += 1;
    this.usedBytes += bytes + ENTRY_OVERHEAD_BYTES;
  }

  /** An entry is gone. */
  remove(bytes: number): void {
    this.entries -= 1;
    this.usedBytes -= bytes + ENTRY_OVERHEAD_BYTES;
  }
}

/** Reads what a spool holds; takes about a second for a million entries, in small steps. */
export async function readCatalog({ tables }: SpoolDatabase): Promise<Catalog> {
  const catalog = new Catalog();
  for (const { key, value } of tables.frozen.getRange()) readFrozen(catalog, key as never, value);
  for (const key of tables.quarantine.getKeys()) {
    const [sink, destination, ordinal] = key as unknown as SpoolKey;
    const lane = catalog.lane(sink, destination);
    lane.next = Math.max(lane.next, ordinal + 1);
    catalog.quarantined += 1;
  }
  let start: Key | undefined;
  for (let read = CHUNK; read === CHUNK; await nextTurn()) {
    read = 0;
    const range = start === undefined ? { limit: CHUNK } : { start, exclusiveStart: true, limit: CHUNK };
    for (const { key, value } of tables.index.getRange(range)) {
      readEntry(catalog, key as unknown as SpoolKey, value);
      start = key;
      read += 1;
    }
  }
  return catalog;
}

function readFrozen(catalog: Catalog, key: SpoolKey, value: Buffer): void {
  const record = decodeFreeze(value);
  if (record === undefined) {
    catalog.damagedFreezes.push(key);
    return;
  }
  const lane = catalog.lane(key[0], key[1]);
  lane.recovered.push(record);
  lane.frozen.set(record.token, record);
}

function readEntry(catalog: Catalog, key: SpoolKey, value: Buffer): void {
  const [sink, destination, ordinal] = key;
  const lane = catalog.lane(sink, destination);
  lane.next = Math.max(lane.next, ordinal + 1);
  const numbers = readNumbers(value);
  if (numbers === undefined) {
    catalog.damaged.push([sink, destination, ordinal]);
    return;
  }
  catalog.count(numbers.bytes);
  if (frozenAt(lane, ordinal) === undefined) lane.add(numbers);
}

/** The batch of an earlier process that an entry is frozen in, if it is in one. */
export function frozenAt(lane: SpoolDestination, ordinal: number): FreezeRecord | undefined {
  for (const record of lane.frozen.values()) {
    if (record.first <= ordinal && ordinal <= record.last) return record;
  }
  return undefined;
}
