import type { InstanceStatus, PipelineCounts, PipelineStatus } from '@activity-gateway/pipeline/host';
import type { ListenerStatus } from '../listener/types.js';

/** What a pipeline has done and holds, over all reactors. */
export interface PipelineFlow {
  readonly pipeline: string;
  /** Events since the start, by what became of them. */
  readonly received: number;
  readonly stored: number;
  readonly rejected: number;
  readonly filtered: number;
  readonly dropped: number;
  /** Events written since the start, those of earlier runs included. */
  readonly written: number;
  /** What waits for the sinks: rows, encoded bytes, age of the oldest in ms. */
  readonly rows: number;
  readonly bytes: number;
  readonly oldestMs: number;
  /** Bytes of disk that the spool takes and may take; missing where the queue is in memory. */
  readonly spool?: { readonly bytes: number; readonly maxBytes: number };
  /** Sinks that do not work well, as the reactors see them. */
  readonly failing: readonly InstanceStatus[];
  /** Ids of the plugins in use. */
  readonly plugins: ReadonlySet<string>;
}

/** Adds up what the reactors of a listener have told, by pipeline. */
export function pipelineFlows({ reactors, ended = [] }: ListenerStatus): PipelineFlow[] {
  const parts = reactors.flatMap(({ status }) => status?.pipelines ?? []);
  return [...new Set(parts.map(({ name }) => name))].map((name) =>
    flowOf(
      name,
      parts.filter((part) => part.name === name),
      ended.filter((each) => each.name === name).map(({ counts }) => counts),
    ),
  );
}

function flowOf(
  name: string,
  parts: readonly PipelineStatus[],
  ended: readonly PipelineCounts[],
): PipelineFlow {
  const counts = [...parts.map((part) => part.counts), ...ended];
  const sum = (
    key: 'received' | 'delivered' | 'deadLettered' | 'filtered' | 'dropped' | 'recovered',
  ): number => counts.reduce((total, each) => total + each[key], 0);
  const queues = parts.map(({ queue }) => queue);
  const spools = queues.flatMap(({ spool }) => spool ?? []);
  const instances = parts.flatMap((part) => part.instances);
  return {
    pipeline: name,
    received: sum('received'),
    stored: sum('delivered'),
    rejected: sum('deadLettered'),
    filtered: sum('filtered'),
    dropped: sum('dropped'),
    written: sum('delivered') + sum('deadLettered') + sum('recovered'),
    rows: queues.reduce((total, { rows }) => total + rows, 0),
    bytes: queues.reduce((total, { bytes }) => total + bytes, 0),
    oldestMs: Math.max(0, ...queues.map(({ oldestMs }) => oldestMs)),
    ...(spools.length > 0 && {
      spool: {
        bytes: spools.reduce((total, { bytes }) => total + bytes, 0),
        maxBytes: spools.reduce((total, { maxBytes }) => total + maxBytes, 0),
      },
    }),
    failing: instances.filter(
      ({ plugin, state }) => plugin.startsWith('sinks.') && (state === 'failed' || state === 'degraded'),
    ),
    plugins: new Set(instances.map(({ plugin }) => plugin)),
  };
}
