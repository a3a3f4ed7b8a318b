import { crc32 } from 'node:zlib';
import type { StreamRange, SequenceRange } from '../api/index.js';
import { mergeRanges } from '../helpers/index.js';
import type { Change, SpoolDatabase } from './database.js';

/** Streams that are remembered of one sender: one that makes a new name each time must not fill the disk. */
export const MAX_STREAMS_PER_SENDER = 256;
/** Stretches that are remembered of one stream; there is a gap only where messages were given up. */
const MAX_STRETCHES = 1_000;

interface StreamRecord {
  /** When it was last written, milliseconds since 1970-01-01 UTC. */
  readonly at: number;
  readonly ranges: readonly SequenceRange[];
}

/** Changes that remember ranges. */
export interface StreamChanges {
  readonly changes: readonly Change[];
  /** To be called when they are on disk. */
  readonly stored: () => void;
}

/** What a spool remembers of senders' streams: a record for each in `streams`, written whole. */
export class StreamTable {
  /** Records that are on their way to the disk, in the order of `changes`. */
  readonly #coming = new Map<string, { ranges: readonly SequenceRange[]; writes: number }>();

  constructor(
    private readonly database: SpoolDatabase,
    private readonly now: () => number,
  ) {}

  /** What is on disk of a stream: rising, with a gap between each two. A damaged record counts as none. */
  durable(stream: string): readonly SequenceRange[] {
    this.database.root.resetReadTxn();
    return this.#read(stream)?.ranges ?? [];
  }

  /** All that is on disk. */
  all(): StreamRange[] {
    this.database.root.resetReadTxn();
    const found: StreamRange[] = [];
    for (const { key, value } of this.database.tables.streams.getRange()) {
      const stream = key as string;
      for (const range of decode(value)?.ranges ?? []) found.push({ stream, ...range });
    }
    return found;
  }

  /** Changes that add ranges. They have to be written in the order in which they were asked for. */
  add(ranges: readonly StreamRange[]): StreamChanges {
    const changes: Change[] = [];
    const streams = new Set(ranges.map(({ stream }) => stream));
    for (const stream of streams) {
      const coming = this.#coming.get(stream);
      const before = coming?.ranges ?? this.#readOrMakeRoom(stream, changes);
      const added = ranges.filter((each) => each.stream === stream);
      const joined = mergeRanges([...before, ...added]).slice(-MAX_STRETCHES);
      this.#coming.set(stream, { ranges: joined, writes: (coming?.writes ?? 0) + 1 });
      changes.push({ table: 'streams', key: stream, value: encode({ at: this.now(), ranges: joined }) });
    }
    return { changes, stored: () => streams.forEach((stream) => this.#stored(stream)) };
  }

  #stored(stream: string): void {
    const coming = this.#coming.get(stream);
    if (coming === undefined) return;
    coming.writes -= 1;
    if (coming.writes === 0) this.#coming.delete(stream);
  }

  #read(stream: string): StreamRecord | undefined {
    const record = this.database.tables.streams.getBinary(stream);
    return record && decode(record);
  }

  /**
   * Reads a stream that nothing is coming of; a new one takes the place of the sender's oldest when it has too many.
   */
  #readOrMakeRoom(stream: string, changes: Change[]): readonly SequenceRange[] {
    this.database.root.resetReadTxn();
    const record = this.#read(stream);
    if (record !== undefined) return record.ranges;
    const sender = stream.slice(0, stream.indexOf('/'));
    let oldest: { readonly key: string; readonly at: number } | undefined;
    let count = 0;
    // The sign after `/` ends the range of all names that begin with the sender and a slash.
    for (const { key, value } of this.database.tables.streams.getRange({
      start: `${sender}/`,
      end: `${sender}0`,
    })) {
      count += 1;
      const at = decode(value)?.at ?? 0;
      if (oldest === undefined || at < oldest.at) oldest = { key: key as string, at };
    }
    if (count >= MAX_STREAMS_PER_SENDER && oldest !== undefined && !this.#coming.has(oldest.key)) {
      changes.push({ table: 'streams', key: oldest.key });
    }
    return [];
  }
}

function encode({ at, ranges }: StreamRecord): Buffer {
  const text = Buffer.from(JSON.stringify([at, ...ranges.map(({ first, last }) => [first, last])]));
  const sum = Buffer.allocUnsafe(4);
  sum.writeUInt32LE(crc32(text));
  return Buffer.concat([sum, text]);
}

function decode(record: Buffer): StreamRecord | undefined {
  if (record.length < 4 || record.readUInt32LE(0) !== crc32(record.subarray(4))) return undefined;
  const [at, ...pairs] = JSON.parse(record.toString('utf8', 4)) as [number, ...[number, number][]];
  return { at, ranges: pairs.map(([first, last]) => ({ first, last })) };
}
