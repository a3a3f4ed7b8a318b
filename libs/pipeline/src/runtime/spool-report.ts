import type { Spool } from '../spool/index.js';
import type { DiskDestinationQueue } from './disk-destination-queue.js';
import type { OutcomeCounts, QueueStats } from './queue.js';

/** Counts as they are kept with an entry: plain JSON. */
interface OutcomeNote {
  /** On disk since the first spool, under this name. */
  readonly fate: OutcomeCounts['outcome'];
  readonly counts: readonly (readonly [string, number])[];
}

/** Writes counts down. */
export function toNote({ outcome, counts }: OutcomeCounts): OutcomeNote {
  return { fate: outcome, counts: [...counts] };
}

/** Reads counts; `undefined` where none were kept. */
export function fromNote(note: unknown): OutcomeCounts | undefined {
  const { fate: outcome, counts } = (note ?? {}) as Partial<OutcomeNote>;
  return outcome === undefined || counts === undefined ? undefined : { outcome, counts: new Map(counts) };
}

/** Adds up what queues hold, sealed batches included. `oldest`: `Infinity` when they hold nothing. */
export function addUp(
  queues: readonly DiskDestinationQueue[],
): Omit<QueueStats, 'oldestMs'> & { readonly oldest: number } {
  let [entries, rows, bytes, oldest] = [0, 0, 0, Infinity];
  for (const { parts, oldest: waiting } of queues) {
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

/** Events that queues hold: every sink has its own copy of an event, so the sink that is furthest behind counts. */
export function eventsIn(queues: readonly DiskDestinationQueue[]): number {
  const sinks = new Set(queues.map(({ sink }) => sink));
  return Math.max(0, ...[...sinks].map((name) => addUp(queues.filter(({ sink }) => sink === name)).rows));
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
