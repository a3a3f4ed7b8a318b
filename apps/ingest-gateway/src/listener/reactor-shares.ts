import type { PipelineStatus } from '@activity-gateway/pipeline/host';
import type { ReactorSettings, ReactorStatus } from '../reactor/messages.js';

/** How much of `activitymonitor_buffer_max_size` one reactor needs. */
export interface Demand {
  /** Events that take its room: those that wait in the spool do not. */
  readonly held: number;
  /** Whether agents wait for room: it would take as much as it can get. */
  readonly waiting: boolean;
}

/** Part of an equal share that a reactor keeps while others have a use for it: what comes to it must not wait for a deal. */
const RESERVE = 1 / 4;

/** What a reactor's last status says of its demand. */
export function demandOf(status: ReactorStatus | undefined): Demand {
  const pipelines = status?.pipelines ?? [];
  return {
    held: pipelines.reduce((sum, pipeline) => sum + heldBy(pipeline), 0),
    waiting: pipelines.some(({ backPressure }) => backPressure),
  };
}

/** Of what is in flight, what is safe in the spool holds no credit. A row is an event there, or a little more than one. */
function heldBy({ counts, queue }: PipelineStatus): number {
  return Math.max(0, counts.inFlight - (queue.spool === undefined ? 0 : queue.rows));
}

/**
 * Deals a number of events out among reactors: equally, unless agents wait for room in some of them and not in others;
 * then those get what the others have no use for. Each gets at least one, and all together no more than there are.
 * @param total   events, at least as many as reactors
 * @param demands one for each reactor
 */
export function dealCredit(total: number, demands: readonly Demand[]): number[] {
  const equal = total / demands.length;
  const modest = demands.map(({ held, waiting }) =>
    waiting ? 0 : Math.min(equal, Math.max(held, equal * RESERVE)),
  );
  const waiting = demands.filter((demand) => demand.waiting).length;
  if (waiting === 0 || waiting === demands.length) return whole(demands.map(() => equal));
  const left = total - modest.reduce((sum, each) => sum + each, 0);
  return whole(demands.map((demand, index) => (demand.waiting ? left / waiting : (modest[index] ?? 0))));
}

/**
 * One reactor's settings. Its part of the buffer holds for events and bytes alike; how many writes there are at a time is
 * not dealt out, as permits bound that over all reactors.
 * @param credit its events of `activitymonitor_buffer_max_size`
 */
export function withCredit(total: ReactorSettings, credit: number): ReactorSettings {
  const { flow } = total;
  const bufferBytesShare = credit / flow.bufferMaxEvents;
  return { ...total, flow: { ...flow, bufferMaxEvents: credit, bufferBytesShare } };
}

/** Integers with the same sum. */
function whole(parts: readonly number[]): number[] {
  let exact = 0;
  let given = 0;
  return parts.map((part) => {
    exact += part;
    const next = Math.max(1, Math.round(exact - given));
    given += next;
    return next;
  });
}
