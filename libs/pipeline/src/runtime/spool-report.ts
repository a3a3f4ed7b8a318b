import type { Spool } from '../spool/index.js';
import type { DiskLane } from './disk-lane.js';
import type { Tally } from './queue.js';

/** A tally as it is kept with an entry: plain JSON. */
interface TallyNote {
  readonly fate: Tally['fate'];
  readonly counts: readonly (readonly [string, number])[];
}

/** Writes a tally down. */
export function toNote({ fate, counts }: Tally): TallyNote {
  return { fate, counts: [...counts] };
}

/** Reads a tally; `undefined` where none was kept. */
export function fromNote(note: unknown): Tally | undefined {
  const { fate, counts } = (note ?? {}) as Partial<TallyNote>;
  return fate === undefined || counts === undefined ? undefined : { fate, counts: new Map(counts) };
}

/** What lanes hold, frozen batches included. */
export interface LaneSums {
  readonly entries: number;
  readonly rows: number;
  /** Encoded bytes. */
  readonly bytes: number;
  /** When the oldest was received, ms since 1970-01-01 UTC; `Infinity` when there is none. */
  readonly oldest: number;
}

/** Adds up what lanes hold. */
export function addUp(lanes: readonly DiskLane[]): LaneSums {
  let [entries, rows, bytes, oldest] = [0, 0, 0, Infinity];
  for (const { parts, oldest: waiting } of lanes) {
    oldest = Math.min(oldest, waiting ?? Infinity);
    for (const { lane } of parts) {
      entries += lane.entries;
      rows += lane.rows;
      bytes += lane.bytes;
      for (const frozen of lane.frozen.values()) {
        entries += frozen.entries;
        rows += frozen.rows;
        bytes += frozen.bytes;
        oldest = Math.min(oldest, frozen.receivedAt);
      }
    }
  }
  return { entries, rows, bytes, oldest };
}

/** Events that lanes hold: every sink has its own copy of an event, so the sink that is furthest behind counts. */
export function eventsIn(lanes: readonly DiskLane[]): number {
  const sinks = new Set(lanes.map(({ sink }) => sink));
  return Math.max(0, ...[...sinks].map((name) => addUp(lanes.filter(({ sink }) => sink === name)).rows));
}

/** Entries of sinks that are not configured, and whose they are. */
export function strandedIn(
  spools: readonly Spool[],
  configured: (sink: string) => boolean,
): { sinks: ReadonlySet<string>; count: number } {
  const sinks = new Set<string>();
  let count = 0;
  for (const { sink, entries, frozen } of spools.flatMap(({ lanes }) => [...lanes])) {
    if (configured(sink)) continue;
    let waiting = entries;
    for (const record of frozen.values()) waiting += record.entries;
    if (waiting > 0) sinks.add(sink);
    count += waiting;
  }
  return { sinks, count };
}
