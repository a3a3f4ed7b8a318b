import type { Batch, Logger, Reject, SourceEvent, Transform, UndecodedReason } from '../api/index.js';
import type { PendingCount } from './batch-tracker.js';
import type { ProcessingBatch } from './buffer-events.js';
import { DeadLetterGroup, RecordGroups, undecodedReject, type RecordGroup } from './record-groups.js';

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
  readonly groups: readonly RecordGroup[];
  readonly deadLetters: DeadLetterGroup;
  /** Events that steps have removed without a reject. */
  readonly filtered: readonly PendingCount[];
  /** Records in all groups, dead letters included. */
  readonly rows: number;
}

const NONE: readonly Reject[] = [];

/**
 * Runs the steps over a processing batch and groups its records by event type. Its batches are empty afterwards: what is
 * decoded need not stay in memory as events until it is settled.
 */
export function decode(slices: ProcessingBatch, options: DecodeOptions): Decoded {
  const { pipeline, steps, logger } = options;
  const groups = new RecordGroups();
  const deadLetters = new DeadLetterGroup(pipeline);
  const filtered: PendingCount[] = [];
  const onFailure = (step: Step, error: unknown): void => logStepFailure(logger, step, error);
  let undecoded = 0;
  for (const slice of slices) {
    const { batch, pendingBatch } = slice;
    const { size } = batch;
    applySteps(batch, steps, onFailure);
    if (batch.size < size) filtered.push({ pendingBatch, count: size - batch.size });
    const rest = groups.add(slice).map((event) => undecodedReject(event, options.undecoded));
    undecoded += rest.length;
    deadLetters.add(rest.length === 0 ? batch.rejects : [...batch.rejects, ...rest], slice);
    batch.events = [];
    batch.rejects.length = 0;
  }
  if (undecoded > 0) logger.warn({ count: undecoded }, options.undecoded.logMessage);
  const list = groups.list();
  const rows = list.reduce((sum, { records }) => sum + records.length, deadLetters.records.length);
  return { groups: list, deadLetters, filtered, rows };
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
  logger.error({ step: name, error: errorName(error) }, 'a step failed, its batch goes to the dead letters');
  logger.debug({ step: name, err: error }, 'why a step failed');
}

/** The kind of an error, which holds no value of an event. */
export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
