import {
  deadLetters,
  PermanentError,
  type EventRecord,
  type EventType,
  type OriginRun,
  type RejectedRow,
} from '../api/index.js';
import { encodeBatch } from '../helpers/index.js';
import { nextSequence, oldestOf, type Encoder } from './encode.js';
import type { QueueItem, SinkBatch } from './queue.js';

/** Characters of rows after which an entry of dead letters ends: a proxy that takes no larger body takes a part of them. */
const ENTRY_CHARACTERS = 64 * 1024;

/** Where rejected rows of a pipeline go. */
export interface RejectedRowsOptions {
  readonly pipeline: string;
  /** The sink that the pipeline names in `dead_letters`. */
  readonly sink: Encoder;
  readonly eventTypes: readonly EventType[];
  /** `<gateway id>/<epoch>`. */
  readonly idPrefix: string;
}

/**
 * Makes entries of dead letters of the rows that a sink has rejected; none are made of dead letters.
 * @throws PermanentError when the sink cannot encode them: the batch waits
 */
export function rejectedItems(
  { pipeline, sink, eventTypes, idPrefix }: RejectedRowsOptions,
  { destination }: Pick<SinkBatch, 'destination'>,
  rejected: readonly RejectedRow[],
): QueueItem[] {
  const eventType = eventTypes.find(({ name }) => name === destination)?.type ?? '';
  const items: QueueItem[] = [];
  for (const rows of inEntries(rejected)) {
    const records = rows.map((row) => recordOf(pipeline, destination, eventType, row));
    const runs = rows.map(runOf);
    const sequence = nextSequence();
    try {
      const entry = encodeBatch(sink.plugin, { type: deadLetters, records, runs }, `${idPrefix}/${sequence}`);
      items.push({ sink: sink.name, entry, sequence, receivedAt: oldestOf(runs) });
    } catch (cause) {
      const message = `The sink ${sink.name} cannot encode the dead letters of ${destination}; they wait.`;
      throw new PermanentError(message, 'DEAD_LETTERS_NOT_ENCODABLE', { cause });
    }
  }
  return items;
}

function inEntries(rejected: readonly RejectedRow[]): RejectedRow[][] {
  const entries: RejectedRow[][] = [];
  let characters = Infinity;
  for (const row of rejected) {
    if (characters >= ENTRY_CHARACTERS) {
      entries.push([]);
      characters = 0;
    }
    entries.at(-1)?.push(row);
    characters += row.raw.length;
  }
  return entries;
}

function recordOf(
  pipeline: string,
  destination: string,
  eventType: string,
  { code, field, message, raw }: RejectedRow,
): EventRecord {
  return {
    pipeline,
    stage: 'sink',
    code,
    field,
    message,
    raw,
    raw_encoding: 'row',
    replayed_at: null,
    event_type: eventType,
    destination,
  };
}

function runOf({ origin, receivedAt }: RejectedRow): OriginRun {
  return { origin: { ...origin, connectionId: '' }, receivedAt, count: 1 };
}
