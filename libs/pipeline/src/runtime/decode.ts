import type { Logger, UndecodedReason } from '../api/index.js';
import { applySteps, type Step } from './apply-steps.js';
import type { ProcessingBatch } from './buffer-events.js';
import type { PendingCount } from './batch-tracker.js';
import { DeadLetterGroup } from './dead-letter-group.js';
import { RecordGroups, undecodedReject, type RecordGroup } from './record-groups.js';

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
    const { size, origin, receivedAt } = batch;
    applySteps(batch, steps, onFailure);
    if (batch.size < size) filtered.push({ pendingBatch, count: size - batch.size });
    for (const event of groups.add(slice)) {
      batch.rejects.push(undecodedReject(event, options.undecoded));
      undecoded += 1;
    }
    deadLetters.add(batch.rejects, { origin, receivedAt, pendingBatch });
    batch.events = [];
    batch.rejects.length = 0;
  }
  if (undecoded > 0) logger.warn({ count: undecoded }, options.undecoded.logMessage);
  const list = groups.list();
  const rows = list.reduce((sum, { records }) => sum + records.length, deadLetters.records.length);
  return { groups: list, deadLetters, filtered, rows };
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
