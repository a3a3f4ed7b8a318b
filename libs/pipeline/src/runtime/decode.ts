import {
  deadLetters,
  type Batch,
  type EventType,
  type Logger,
  type Reject,
  type SourceEvent,
  type Transform,
  type UndecodedReason,
} from '../api/index.js';
import type { PendingCount } from './batch-tracker.js';
import type { BatchSlice, ProcessingBatch } from './buffer-events.js';
import { deadLetterRecord, GrowingGroup, undecodedReject, type RecordGroup } from './record-groups.js';

/** A step of the pipeline, ready to run. */
export interface Step {
  readonly name: string;
  readonly plugin: Pick<Transform, 'apply'>;
}

/** What decoding works with. */
export interface DecodeOptions {
  readonly pipeline: string;
  readonly steps: readonly Step[];
  /** What becomes of events that no step decodes. */
  readonly undecoded: UndecodedReason;
  readonly logger: Logger;
}

/** What a processing batch was decoded to. */
export interface Decoded {
  /** By event type; rejects are records of `dead_letters`. */
  readonly groups: readonly RecordGroup[];
  /** Events that steps have removed without a reject. */
  readonly filtered: readonly PendingCount[];
  /** Records in all groups. */
  readonly rows: number;
}

const NONE: readonly Reject[] = [];

/**
 * Runs the steps over a processing batch and groups its records by event type. Its batches are empty afterwards: what is
 * decoded need not stay in memory as events until it is settled.
 */
export function decode(slices: ProcessingBatch, options: DecodeOptions): Decoded {
  const { pipeline, steps, logger } = options;
  const groups = new Map<EventType, GrowingGroup>();
  const rejected = new GrowingGroup(deadLetters);
  const filtered: PendingCount[] = [];
  const onFailure = (step: Step, error: unknown): void => logStepFailure(logger, step, error);
  let undecoded = 0;
  for (const slice of slices) {
    const { batch, pendingBatch } = slice;
    const { size } = batch;
    applySteps(batch, steps, onFailure);
    if (batch.size < size) filtered.push({ pendingBatch, count: size - batch.size });
    const rest = groupByType(slice, groups);
    undecoded += rest.length;
    for (const event of rest) batch.rejects.push(undecodedReject(event, options.undecoded));
    for (const reject of batch.rejects) rejected.records.push(deadLetterRecord(pipeline, reject));
    rejected.endRun(slice);
    batch.events = [];
    batch.rejects.length = 0;
  }
  if (undecoded > 0) logger.warn({ count: undecoded }, options.undecoded.logMessage);
  if (rejected.records.length > 0) groups.set(deadLetters, rejected);
  const list = [...groups.values()];
  return { groups: list, filtered, rows: list.reduce((sum, { records }) => sum + records.length, 0) };
}

/** Adds the records of a batch to the groups of their types; returns the events that no step has decoded. */
function groupByType(slice: BatchSlice, groups: Map<EventType, GrowingGroup>): SourceEvent[] {
  const undecoded: SourceEvent[] = [];
  let group: GrowingGroup | undefined;
  for (const event of slice.batch.events) {
    const { eventType, record } = event;
    if (eventType === undefined || record === undefined) {
      undecoded.push(event);
      continue;
    }
    // Neighbours are mostly of one type.
    if (group === undefined || group.type !== eventType) {
      group = groups.get(eventType);
      if (group === undefined) groups.set(eventType, (group = new GrowingGroup(eventType)));
    }
    group.records.push(record);
    group.sources.push(event);
  }
  for (const touched of groups.values()) touched.endRun(slice);
  return undecoded;
}

/**
 * Runs the steps over a batch, in order. A step that throws, or brings more events than it was given, ends the run: what
 * it did to the batch is undone, and all events of the batch are rejected as `transform_failed`.
 */
export function applySteps(
  batch: Batch,
  steps: readonly Step[],
  onFailure: (step: Step, error: unknown) => void,
): void {
  let events: readonly SourceEvent[] = [];
  for (const step of steps) {
    // Mostly a step takes nothing away, and what the one before it was given is the same.
    if (events.length !== batch.events.length) events = batch.events.slice();
    const rejects = batch.rejects.length === 0 ? NONE : batch.rejects.slice();
    try {
      step.plugin.apply(batch);
      if (batch.size > events.length + rejects.length) throw new Error('The step made events of its own.');
    } catch (error) {
      onFailure(step, error);
      refuse(batch, events, rejects, step.name);
      return;
    }
  }
}

function refuse(
  batch: Batch,
  events: readonly SourceEvent[],
  rejects: readonly Reject[],
  stepName: string,
): void {
  batch.events = [];
  batch.rejects.length = 0;
  for (const reject of rejects) batch.rejects.push(reject);
  const message = `The step ${stepName} failed on the batch that this event was in.`;
  for (const { raw, eventType } of events) {
    const type = eventType && { eventType: eventType.type };
    batch.rejects.push({ stage: 'parse', code: 'transform_failed', field: '', message, raw, ...type });
  }
}

/** Messages of errors may hold values of the event: they are for debugging only. */
function logStepFailure(logger: Logger, step: Step, error: unknown): void {
  const { name } = step;
  logger.error({ step: name, error: errorName(error) }, 'Step failed; batch dead-lettered');
  logger.debug({ step: name, err: error }, 'Cause of the failed step');
}

/** The kind of an error, which holds no value of an event. */
export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
