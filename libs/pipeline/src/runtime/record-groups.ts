import { isUtf8 } from 'node:buffer';
import type {
  EventRecord,
  EventType,
  OriginRun,
  Reject,
  Source,
  SourceEvent,
  UndecodedReason,
} from '../api/index.js';
import type { BatchSlice } from './buffer-events.js';
import type { PendingBatch } from './pending-batch.js';

/** A run of records of one origin, and whom they settle with. */
export interface Run extends OriginRun {
  readonly pendingBatch: PendingBatch;
}

/** All records of one event type in a processing batch. */
export interface RecordGroup {
  readonly type: EventType;
  readonly records: EventRecord[];
  /** The events of the records, for their raw messages; empty for dead letters themselves. */
  readonly sources: Pick<SourceEvent, 'raw'>[];
  readonly runs: Run[];
}

/** A group that is being filled. */
export class GrowingGroup implements RecordGroup {
  readonly records: EventRecord[] = [];
  readonly sources: SourceEvent[] = [];
  readonly runs: Run[] = [];
  #inRuns = 0;

  constructor(readonly type: EventType) {}

  /** Makes a run of the records that came since the last one. */
  endRun({ batch: { origin, receivedAt }, pendingBatch }: BatchSlice): void {
    const count = this.records.length - this.#inRuns;
    if (count === 0) return;
    this.runs.push({ origin, receivedAt, pendingBatch, count });
    this.#inRuns = this.records.length;
  }
}

/** The two halves of a group of at least two records. */
export function halves(group: RecordGroup): [RecordGroup, RecordGroup] {
  const middle = group.records.length >> 1;
  const firstRuns: Run[] = [];
  const lastRuns: Run[] = [];
  let at = 0;
  for (const run of group.runs) {
    const first = Math.max(0, Math.min(run.count, middle - at));
    if (first > 0) firstRuns.push({ ...run, count: first });
    if (first < run.count) lastRuns.push({ ...run, count: run.count - first });
    at += run.count;
  }
  const { type, records, sources } = group;
  return [
    { type, records: records.slice(0, middle), sources: sources.slice(0, middle), runs: firstRuns },
    { type, records: records.slice(middle), sources: sources.slice(middle), runs: lastRuns },
  ];
}

/** For sources that do not say it in words of their own. */
const UNDECODED: UndecodedReason = {
  code: 'unknown_type',
  field: '',
  message: (type) => `No parser of this pipeline takes events of type "${type}".`,
  logMessage: 'No parser for event type; events are dead letters',
};

/** How events that no step of the pipeline has decoded are rejected. */
export function undecodedReason(source: Pick<Source, 'undecoded'>): UndecodedReason {
  return source.undecoded ?? UNDECODED;
}

/** The reject of an event that no step of the pipeline has decoded. */
export function undecodedReject(event: SourceEvent, { code, field, message }: UndecodedReason): Reject {
  return { stage: 'parse', code, field, message: message(event.type.slice(0, 100)), raw: event.raw };
}

const NO_BYTES = new Uint8Array();

/** The record of one reject. */
export function deadLetterRecord(pipeline: string, reject: Reject): EventRecord {
  const { stage, code, field, message, eventType = '' } = reject;
  // A step may have made its event by spread, and so without the raw message: the others of its batch must not suffer.
  const raw = (reject as Partial<Reject>).raw ?? NO_BYTES;
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const text = isUtf8(bytes);
  return {
    pipeline,
    stage,
    code,
    field,
    message,
    raw: bytes.toString(text ? 'utf8' : 'base64'),
    raw_encoding: text ? 'utf8' : 'base64',
    replayed_at: null,
    event_type: eventType,
    destination: '',
  };
}
