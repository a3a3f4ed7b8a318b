import { crc32 } from 'node:zlib';

/** The format this program writes. It reads this one and all before it; a later one is refused untouched. */
export const SPOOL_FORMAT = 1;

/** Tables of a spool. Bytes are kept apart from what is known of them, so that counting reads no bytes. */
export const TABLES = ['meta', 'index', 'entries', 'frozen', 'quarantine', 'streams'] as const;
/** One of the tables. */
export type TableName = (typeof TABLES)[number];

/** Place of an entry: its ordinal rises within a sink and destination, over restarts too. */
export type SpoolKey = readonly [sink: string, destination: string, ordinal: number];

/** Bytes of disk that an entry costs beyond its own, at most: records in `index`, keys, page ends. */
export const ENTRY_OVERHEAD_BYTES = 512;

/** What is known of an entry: a record in `index`. */
export interface EntryMeta {
  /** Entry id, `<gateway>/<epoch>/<sequence>`. */
  readonly id: string;
  readonly rows: number;
  /** Encoded bytes. */
  readonly bytes: number;
  /** When its oldest event was received, milliseconds since 1970-01-01 UTC. */
  readonly receivedAt: number;
  /** CRC-32 of the bytes. */
  readonly crc: number;
  /** What whoever appended it wants back when it is written; plain JSON. */
  readonly note?: unknown;
  /** Entries of other sinks that hold the same events. */
  readonly siblings?: readonly SpoolKey[];
}

/** A frozen sink batch: a record in `frozen`, under the key of its first entry. */
export interface FreezeRecord {
  readonly token: string;
  /** Ordinals of its first and last entry. */
  readonly first: number;
  readonly last: number;
  /** Ids of these two. */
  readonly firstId: string;
  readonly lastId: string;
  readonly entries: number;
  readonly rows: number;
  readonly bytes: number;
  /** When its oldest event was received, milliseconds since 1970-01-01 UTC. */
  readonly receivedAt: number;
  /** When it was frozen, milliseconds since 1970-01-01 UTC: no attempt is older. */
  readonly frozenAt: number;
}

/** Numbers at the front of a record in `index`, which counting needs. */
export type EntryNumbers = Pick<EntryMeta, 'rows' | 'bytes' | 'receivedAt'>;

// CRC-32 of what follows (u32), layout (u8), rows (u32), bytes (u32), receivedAt (f64), CRC-32 of the bytes (u32), JSON.
const LAYOUT = 1;
const HEAD_BYTES = 25;

/** Writes a record of `index`. */
export function encodeMeta(meta: EntryMeta): Buffer {
  const { id, note, siblings } = meta;
  const tail = Buffer.from(JSON.stringify({ id, note, siblings }));
  const record = Buffer.allocUnsafe(HEAD_BYTES + tail.length);
  record.writeUInt8(LAYOUT, 4);
  record.writeUInt32LE(meta.rows, 5);
  record.writeUInt32LE(meta.bytes, 9);
  record.writeDoubleLE(meta.receivedAt, 13);
  record.writeUInt32LE(meta.crc, 21);
  tail.copy(record, HEAD_BYTES);
  record.writeUInt32LE(crc32(record.subarray(4)), 0);
  return record;
}

/** Reads the numbers of a record of `index`; `undefined` when it is damaged. */
export function readNumbers(record: Buffer): EntryNumbers | undefined {
  if (record.length < HEAD_BYTES || record.readUInt32LE(0) !== crc32(record.subarray(4))) return undefined;
  if (record.readUInt8(4) !== LAYOUT) return undefined;
  return {
    rows: record.readUInt32LE(5),
    bytes: record.readUInt32LE(9),
    receivedAt: record.readDoubleLE(13),
  };
}

/** Reads a record of `index`; `undefined` when it is damaged. */
export function decodeMeta(record: Buffer): EntryMeta | undefined {
  const numbers = readNumbers(record);
  if (numbers === undefined) return undefined;
  const tail = JSON.parse(record.toString('utf8', HEAD_BYTES)) as Pick<EntryMeta, 'id' | 'note' | 'siblings'>;
  return { ...numbers, crc: record.readUInt32LE(21), ...tail };
}

/** Writes a record of `frozen`. */
export function encodeFreeze(record: FreezeRecord): Buffer {
  const text = Buffer.from(JSON.stringify(record));
  const sum = Buffer.allocUnsafe(4);
  sum.writeUInt32LE(crc32(text));
  return Buffer.concat([sum, text]);
}

/** Reads a record of `frozen`; `undefined` when it is damaged. */
export function decodeFreeze(record: Buffer): FreezeRecord | undefined {
  if (record.length < 4 || record.readUInt32LE(0) !== crc32(record.subarray(4))) return undefined;
  return JSON.parse(record.toString('utf8', 4)) as FreezeRecord;
}

/** `<gateway>/<epoch>` of an entry id: what a batch never spans. */
export function epochOf(id: string): string {
  return id.slice(0, Math.max(0, id.lastIndexOf('/')));
}

/** Last part of an entry id. */
export function sequenceOf(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1);
}
