import {
  Batch,
  RejectError,
  type Origin,
  type Reject,
  type SourceEvent,
  type Transform,
} from '../api/index.js';
import { LineFramer } from '../helpers/index.js';

/** The peer that test events come from. */
export const TEST_ORIGIN: Origin = Object.freeze({
  connectionId: 'test-1',
  sender: 'ab'.repeat(32),
  senderHost: 'FS-AGENT-01',
  sourceIp: '10.0.0.7',
});

/** When test batches are received, unless a test says otherwise: 2026-11-20 12:00 UTC. */
export const TEST_RECEIVED_AT = Date.UTC(2026, 10, 20, 12);

/** Runs events through a transform as one batch of the test origin. */
export function applyTransform(
  transform: Transform,
  events: SourceEvent[],
  receivedAt: number = TEST_RECEIVED_AT,
): Batch {
  const bytes = events.reduce((sum, event) => sum + event.raw.length, 0);
  const batch = new Batch(TEST_ORIGIN, receivedAt, bytes, events);
  transform.apply(batch);
  return batch;
}

/** What became of one line. */
export type LineOutcome =
  | { readonly kind: 'event'; readonly event: SourceEvent }
  | { readonly kind: 'reject'; readonly reject: Pick<Reject, 'stage' | 'code' | 'field'> }
  /** The transform left the event alone. */
  | { readonly kind: 'unclaimed' };

/** Reads one line as a source does. @throws RejectError for a line that is no event */
export type ReadEvent = (line: Buffer) => SourceEvent;

/** Runs one line through a source's `read` and a transform. */
export function parseLine(
  transform: Transform,
  line: Buffer,
  read: ReadEvent,
  receivedAt?: number,
): LineOutcome {
  let source: SourceEvent;
  try {
    source = read(line);
  } catch (error) {
    if (!(error instanceof RejectError)) throw error;
    const { stage, code, field } = error;
    return { kind: 'reject', reject: { stage, code, field } };
  }
  const batch = applyTransform(transform, [source], receivedAt);
  if (batch.size !== 1) throw new Error(`One event went in and ${batch.size} came out.`);
  const [reject] = batch.rejects;
  if (reject !== undefined) {
    return { kind: 'reject', reject: { stage: reject.stage, code: reject.code, field: reject.field } };
  }
  const event = batch.events[0] ?? source;
  return event.record === undefined ? { kind: 'unclaimed' } : { kind: 'event', event };
}

/** Cuts a file's bytes into lines; empty lines are left out. */
export function splitLines(bytes: Buffer): Buffer[] {
  const framer = new LineFramer(Number.MAX_SAFE_INTEGER);
  const lines = framer.push(bytes);
  const last = framer.end();
  return last === undefined ? lines : [...lines, last];
}
