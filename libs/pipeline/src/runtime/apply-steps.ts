import type { Batch, Reject, SourceEvent, Transform } from '../api/index.js';

const NONE: readonly Reject[] = [];

/** A step of the pipeline, ready to run. */
export interface Step {
  readonly name: string;
  readonly plugin: Pick<Transform, 'apply'>;
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
