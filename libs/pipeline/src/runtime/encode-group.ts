import type { OriginRun, RecordBatch, Sink } from '../api/index.js';
import { encodeBatch } from '../helpers/index.js';
import type { QueueItem } from './queue.js';
import type { RecordGroup } from './record-groups.js';
import { nextSequence } from './sequence.js';

/** A sink as far as encoding goes. */
export interface Encoder {
  readonly name: string;
  readonly plugin: Pick<Sink, 'open'>;
}

/** A sink that could not encode a group. */
export interface EncodeFailure {
  readonly sink: string;
  readonly error: unknown;
}

/** What encoding a group for some sinks gave. */
export interface Encoded {
  readonly items: readonly QueueItem[];
  readonly failures: readonly EncodeFailure[];
}

/**
 * Encodes a group for each sink, under an entry id of its own. Does not throw.
 * @param idPrefix `<gateway id>/<epoch>`
 */
export function encodeGroup(group: RecordGroup, encoders: readonly Encoder[], idPrefix: string): Encoded {
  const items: QueueItem[] = [];
  const failures: EncodeFailure[] = [];
  const batch: RecordBatch = { type: group.type, records: group.records, runs: group.runs };
  const receivedAt = oldestOf(group.runs);
  for (const { name, plugin } of encoders) {
    const sequence = nextSequence();
    try {
      const entry = encodeBatch(plugin, batch, `${idPrefix}/${sequence}`);
      items.push({ sink: name, entry, sequence, receivedAt });
    } catch (error) {
      failures.push({ sink: name, error });
    }
  }
  return { items, failures };
}

/** When the first of them was received, milliseconds since 1970-01-01 UTC. */
export function oldestOf(runs: readonly OriginRun[]): number {
  let at = Infinity;
  for (const run of runs) at = Math.min(at, run.receivedAt);
  return at;
}
