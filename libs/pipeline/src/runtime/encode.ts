import { deadLetters, type Block, type EventType, type OriginRun, type Sink } from '../api/index.js';
import { encodeBatch, finishBlock } from '../helpers/index.js';
import type { OutcomeCounts, QueueItem } from './queue.js';
import type { RecordGroup, Run } from './record-groups.js';

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

const SEQUENCE_DIGITS = 12;

/** One count for the whole process: two pipelines of one epoch must never give the same id or token. */
let last = 0;

/**
 * The next sequence number, 12 digits, so that numbers sort as text. Unique in the process; a gap means that an entry
 * was given up before it was queued.
 */
export function nextSequence(): string {
  last += 1;
  return String(last).padStart(SEQUENCE_DIGITS, '0');
}

/** When the first of them was received, milliseconds since 1970-01-01 UTC. */
export function oldestOf(runs: readonly OriginRun[]): number {
  let at = Infinity;
  for (const run of runs) at = Math.min(at, run.receivedAt);
  return at;
}

/** How events of a type end when they are written. */
export function outcomeOf(type: EventType): OutcomeCounts['outcome'] {
  return type === deadLetters ? 'deadLettered' : 'delivered';
}

/** How many they are: by event type, dead letters by code. */
export function countsOf({ type, records }: RecordGroup): ReadonlyMap<string, number> {
  if (type !== deadLetters) return new Map([[type.name, records.length]]);
  const counts = new Map<string, number>();
  for (const record of records) {
    const code = record.code as string;
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return counts;
}

/**
 * Encodes a group for each sink by itself, under an entry id of its own. Does not throw.
 * @param idPrefix `<gateway id>/<epoch>`
 */
export function encodeForEach(
  { type, records, runs }: RecordGroup,
  encoders: readonly Encoder[],
  idPrefix: string,
): { readonly items: readonly QueueItem[]; readonly failures: readonly EncodeFailure[] } {
  const items: QueueItem[] = [];
  const failures: EncodeFailure[] = [];
  const receivedAt = oldestOf(runs);
  for (const { name, plugin } of encoders) {
    const sequence = nextSequence();
    try {
      const entry = encodeBatch(plugin, { type, records, runs }, `${idPrefix}/${sequence}`);
      items.push({ sink: name, entry, sequence, receivedAt });
    } catch (error) {
      failures.push({ sink: name, error });
    }
  }
  return { items, failures };
}

/**
 * Records of one event type that come in several processing batches, on their way into one entry for each sink. They are
 * encoded as they come, and none is kept (`docs/explanation/adr/0022`).
 */
export class OpenGroup {
  readonly runs: Run[] = [];
  /** As `OutcomeCounts.counts`. */
  readonly counts = new Map<string, number>();
  rows = 0;
  readonly #opened: readonly { readonly sink: string; readonly block: Block }[];
  /** What a sink threw when it should have taken a batch back: nobody knows what its entry holds. */
  #broken: { readonly error: unknown } | undefined;

  /**
   * @param idPrefix `<gateway id>/<epoch>`
   * @throws what a sink throws when it begins an entry
   */
  constructor(
    readonly type: EventType,
    encoders: readonly Encoder[],
    private readonly idPrefix: string,
  ) {
    this.#opened = encoders.map(({ name, plugin }) => ({ sink: name, block: plugin.open(type) }));
  }

  /** Adds a group of the same type for all sinks, or, when one of them cannot encode it, for none. Returns whether it did. */
  add(group: RecordGroup): boolean {
    const { type, records, runs } = group;
    const batch = { type, records, runs };
    let touched = 0;
    try {
      for (const { block } of this.#opened) {
        touched += 1;
        block.add(batch);
      }
    } catch {
      this.#undo(touched);
      return false;
    }
    for (const run of runs) this.runs.push(run);
    for (const [key, count] of countsOf(group)) this.counts.set(key, (this.counts.get(key) ?? 0) + count);
    this.rows += records.length;
    return true;
  }

  /** Whether its events can only be dropped: `finish` throws. */
  get broken(): boolean {
    return this.#broken !== undefined;
  }

  /** Ends the entries, if anything was added. @throws what a sink throws */
  finish(): QueueItem[] {
    if (this.#broken !== undefined) throw this.#broken.error;
    if (this.rows === 0) return [];
    const receivedAt = oldestOf(this.runs);
    return this.#opened.map(({ sink, block }) => {
      const sequence = nextSequence();
      const entry = finishBlock(block, `${this.idPrefix}/${sequence}`);
      return { sink, entry, sequence, receivedAt };
    });
  }

  #undo(touched: number): void {
    try {
      for (const { block } of this.#opened.slice(0, touched)) block.undo();
    } catch (error) {
      this.#broken = { error };
    }
  }
}
