import type { AgentActivity } from '../store/index.js';

/** Adds what was seen later to what was seen before. */
export function addActivity(before: AgentActivity | undefined, later: AgentActivity): AgentActivity {
  if (before === undefined) return later;
  const certificate = later.certificate ?? before.certificate;
  return {
    events: before.events + later.events,
    bytes: before.bytes + later.bytes,
    ...(certificate && { certificate }),
  };
}
