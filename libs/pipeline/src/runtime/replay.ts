import {
  Batch,
  deadLetters,
  RejectError,
  type EncodedEntry,
  type EventRecord,
  type EventType,
  type Sink,
  type Source,
} from '../api/index.js';
import { encodeBatch } from '../helpers/index.js';
import { applySteps, type Step } from './decode.js';
import { recordFromRow } from './record-from-row.js';
import { undecodedReason, undecodedReject } from './record-groups.js';
import type { ReplayItem, ReplayOutcome } from './replay-types.js';
import { writeReplayed, type EntryResult } from './replay-write.js';

/** What a replay runs through. */
export interface ReplayOptions {
  readonly steps: readonly Step[];
  readonly sinks: readonly { readonly name: string; readonly plugin: Sink }[];
  /** What the steps make. */
  readonly eventTypes: readonly EventType[];
  /** The pipeline's own, which reads the lines again. */
  readonly source: Pick<Source, 'read' | 'undecoded'>;
}

interface Decoded {
  readonly item: ReplayItem;
  readonly type: EventType;
  readonly record: EventRecord;
}

/** Worse outcomes of one sink count for the event. */
const RANK = { stored: 0, replayed: 1, refused: 2, failed: 3 } as const;

/**
 * Sends dead letters through the steps again, and what they decode straight to the sinks, past the queue: each event is an
 * entry of its own whose id is made of the dead letter's, so that a sink which can look entries up stores none of them twice,
 * however often it is replayed. Lines go to all sinks; rows only to those that refuse rows. Does not throw.
 */
export async function replay(
  options: ReplayOptions,
  items: readonly ReplayItem[],
  signal: AbortSignal,
): Promise<ReplayOutcome[]> {
  const outcomes = new Map<string, ReplayOutcome>();
  const decoded: Decoded[] = [];
  for (const item of items) {
    try {
      decoded.push(decode(options, item));
    } catch (error) {
      outcomes.set(item.id, refusal(item.id, error));
    }
  }
  for (const { plugin } of options.sinks) {
    const fitting = decoded.filter(({ item }) => item.encoding !== 'row' || plugin.recover !== undefined);
    for (const [id, result] of await writeAll(plugin, fitting, signal)) {
      const before = outcomes.get(id);
      if (before === undefined || RANK[result.outcome] > RANK[before.outcome]) outcomes.set(id, result);
    }
  }
  return items.map(({ id }) => outcomes.get(id) ?? refusal(id, NOWHERE));
}

const NOWHERE = new RejectError('no_sink', '', 'No sink of this pipeline takes refused rows.', 'sink');

/** @throws RejectError */
function decode({ steps, eventTypes, source }: ReplayOptions, item: ReplayItem): Decoded {
  if (item.encoding !== 'row') return decodeLine(steps, item, source);
  const type = eventTypes.find(({ name }) => name === item.destination);
  if (type === undefined || type === deadLetters) {
    throw new RejectError('unknown_destination', '', 'No parser of this pipeline makes such rows.', 'sink');
  }
  return { item, type, record: recordFromRow(type, item.raw) };
}

function decodeLine(steps: readonly Step[], item: ReplayItem, source: ReplayOptions['source']): Decoded {
  if (source.read === undefined) {
    throw new RejectError(
      'source_without_replay',
      '',
      'The source of this pipeline reads nothing again.',
      'frame',
    );
  }
  const raw = Buffer.from(item.raw, item.encoding === 'base64' ? 'base64' : 'utf8');
  const event = source.read(raw);
  const batch = new Batch(item.origin, item.receivedAt, raw.length, [event]);
  applySteps(batch, steps, () => undefined);
  const [reject] = batch.rejects;
  const { eventType: type, record } = event;
  if (reject === undefined && type !== undefined && record !== undefined && batch.events.length === 1) {
    return { item, type, record };
  }
  const { code, field, message: text, stage } = reject ?? undecodedReject(event, undecodedReason(source));
  throw new RejectError(code, field, text, stage);
}

async function writeAll(
  sink: Sink,
  decoded: readonly Decoded[],
  signal: AbortSignal,
): Promise<Map<string, ReplayOutcome>> {
  const outcomes = new Map<string, ReplayOutcome>();
  const items = new Map<EncodedEntry, string>();
  const byDestination = new Map<string, EncodedEntry[]>();
  for (const each of decoded) {
    try {
      const entry = encode(sink, each);
      items.set(entry, each.item.id);
      const others = byDestination.get(entry.destination);
      if (others === undefined) byDestination.set(entry.destination, [entry]);
      else others.push(entry);
    } catch {
      const why = new RejectError('encode_failed', '', 'A sink could not encode the event.', 'sink');
      outcomes.set(each.item.id, refusal(each.item.id, why));
    }
  }
  for (const entries of byDestination.values()) {
    for (const result of await writeReplayed(sink, entries, signal)) {
      const id = items.get(result.entry) ?? '';
      outcomes.set(id, outcomeOf(id, result));
    }
  }
  return outcomes;
}

function encode(sink: Sink, { item, type, record }: Decoded): EncodedEntry {
  const { origin, receivedAt, id } = item;
  const batch = { type, records: [record], runs: [{ origin, receivedAt, count: 1 }] };
  return encodeBatch(sink, batch, replayEntryId(id));
}

/** Entry id of a replayed dead letter: the same from every gateway. */
export function replayEntryId(id: string): string {
  return `replay/${id}`;
}

function outcomeOf(id: string, { outcome, error }: EntryResult): ReplayOutcome {
  return error === undefined ? { id, outcome } : { id, outcome, ...error };
}

function refusal(id: string, error: unknown): ReplayOutcome {
  const { code, message } = error instanceof RejectError ? error : { code: 'decode_failed', message: '' };
  return { id, outcome: 'refused', code, message };
}
