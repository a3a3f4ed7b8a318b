import { isUtf8 } from 'node:buffer';
import { deadLetters, type EventRecord, type Reject, type SourceEvent } from '../api/index.js';
import type { EncodeFailure } from './encode-group.js';
import type { Appended } from './queue.js';
import type { RecordGroup, Run } from './record-groups.js';

const NO_BYTES = new Uint8Array();

/** The dead letters of a processing batch, as records. */
export class DeadLetterGroup implements RecordGroup {
  readonly type = deadLetters;
  readonly records: EventRecord[] = [];
  readonly sources: Pick<SourceEvent, 'raw'>[] = [];
  readonly runs: Run[] = [];
  /** What other sinks have to write before these events have ended. */
  readonly alsoAppended: Appended[] = [];

  constructor(private readonly pipeline: string) {}

  /** Takes rejects of one origin. */
  add(rejects: readonly Reject[], from: Omit<Run, 'count'>): void {
    if (rejects.length === 0) return;
    const { origin, receivedAt, pendingBatch } = from;
    this.runs.push({ origin, receivedAt, pendingBatch, count: rejects.length });
    for (const reject of rejects) this.records.push(deadLetterRecord(this.pipeline, reject));
  }

  /** Takes an event that sinks could not encode, a group of one, and what other sinks have to write of it. */
  addUnencodable(
    { type, runs: [run], sources: [source] }: RecordGroup,
    failures: readonly EncodeFailure[],
    appended: readonly Appended[],
  ): void {
    if (run === undefined || source === undefined) return;
    const { raw } = source;
    const names = failures.map(({ sink }) => sink).join(', ');
    const message = `The sink ${names} could not encode the event.`;
    const eventType = type.type;
    this.add([{ stage: 'sink', code: 'encode_failed', field: '', message, raw, eventType }], run);
    this.alsoAppended.push(...appended);
  }

  /** Takes those of another processing batch. */
  append({ records, runs }: DeadLetterGroup): void {
    for (const record of records) this.records.push(record);
    for (const run of runs) this.runs.push(run);
  }
}

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
