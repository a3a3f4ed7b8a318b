import { sequenceOf, epochOf, type EntryMeta, type FreezeRecord } from './format.js';

/** Entries of one sink for one destination in one spool, and how far they are frozen. */
export class SpoolDestination {
  /** Entries on disk that are not frozen, their rows and encoded bytes. */
  entries = 0;
  rows = 0;
  bytes = 0;
  /** When the first of them was received, ms since 1970-01-01 UTC; `undefined` when there is none. */
  oldest: number | undefined;
  /** Ordinal from which on nothing is frozen. */
  cursor = 0;
  /** Ordinal of the next entry. */
  next = 0;
  /** Batches that an earlier process has frozen: they come again before anything newer is frozen. */
  readonly recovered: FreezeRecord[] = [];
  /** Batches that are frozen, recovered ones included, and not committed. */
  readonly frozen = new Map<string, FreezeRecord>();

  constructor(
    readonly sink: string,
    readonly destination: string,
  ) {}

  /** Entries on disk came to be known. */
  add(meta: Pick<EntryMeta, 'rows' | 'bytes' | 'receivedAt'>): void {
    this.oldest ??= meta.receivedAt;
    this.entries += 1;
    this.rows += meta.rows;
    this.bytes += meta.bytes;
  }

  /** Entries were frozen or set aside. */
  subtract(meta: Pick<EntryMeta, 'rows' | 'bytes'>): void {
    this.entries -= 1;
    this.rows -= meta.rows;
    this.bytes -= meta.bytes;
  }
}

/** An entry that was chosen for a batch. */
export interface ChosenEntry {
  readonly ordinal: number;
  readonly meta: EntryMeta;
}

/** The freeze record of entries of one epoch, in order; at least one. */
export function freezeRecord(destination: string, chosen: readonly ChosenEntry[], now: number): FreezeRecord {
  const [head] = chosen;
  const tail = chosen.at(-1);
  if (head === undefined || tail === undefined) throw new RangeError('A batch has entries.');
  let rows = 0;
  let bytes = 0;
  let receivedAt = Infinity;
  for (const { meta } of chosen) {
    rows += meta.rows;
    bytes += meta.bytes;
    receivedAt = Math.min(receivedAt, meta.receivedAt);
  }
  const { id } = head.meta;
  return {
    token: `${epochOf(id)}/${destination}/${sequenceOf(id)}-${sequenceOf(tail.meta.id)}`,
    first: head.ordinal,
    last: tail.ordinal,
    firstId: id,
    lastId: tail.meta.id,
    entries: chosen.length,
    rows,
    bytes,
    receivedAt,
    frozenAt: now,
  };
}
