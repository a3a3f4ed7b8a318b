import type { InstanceState, LiveValue, Logger, Metrics, Services } from '../api/index.js';
import type { PipelineSpec } from '../config/index.js';
import type { PluginRegistry } from '../registry/index.js';
import type { SpoolStats } from './queue.js';
import type { ReplayItem, ReplayOutcome } from './replay-types.js';

/** Settings that act on the flow; a change acts on the next batch. Shares of one reactor, not of the gateway. */
export interface FlowSettings {
  /** `activitymonitor_batch_size`: events of a processing batch at most. */
  readonly batchSize: number;
  /** `activitymonitor_batch_interval_seconds` in ms: the longest an event waits for its write to begin. */
  readonly batchIntervalMs: number;
  /** `activitymonitor_max_concurrent_jobs`: processing batches at a time. */
  readonly maxConcurrentJobs: number;
  /** `activitymonitor_buffer_max_size`: events held at once; reached = sources pause. */
  readonly bufferMaxEvents: number;
  /** Part of each pipeline's `buffer.max_bytes` that this reactor may hold, above 0 and up to 1; all of it by default. */
  readonly bufferBytesShare?: number;
  /** `activitymonitor_clickhouse_batch_size`: rows of one write. */
  readonly sinkBatchSize: number;
  /** `activitymonitor_buffer_threads`: writes at a time, over all sinks. */
  readonly sinkWriters: number;
}

/** Bounds writes beyond one pipeline, over all reactors. */
export interface WritePermits {
  /**
   * Waits for a permit, runs the work, and gives the permit back.
   * @param pool `<pipeline>/<sink>`: sinks do not wait for one another's permits
   */
  run<T>(pool: string, work: () => Promise<T>): Promise<T>;
}

/** What a pipeline is built from. */
export interface PipelineOptions {
  readonly spec: PipelineSpec;
  readonly registry: PluginRegistry;
  readonly services: Services;
  readonly settings: LiveValue<FlowSettings>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** First part of entry ids and tokens: stable over restarts, `[A-Za-z0-9_-]+`. */
  readonly gatewayId: string;
  /** Second part: never used before by this gateway, fixed width so that ids sort as text. */
  readonly epoch: string;
  /** Asked for each attempt to write, within `sinkWriters`; without it that alone bounds them. */
  readonly writePermits?: WritePermits;
  /** Milliseconds since 1970-01-01 UTC; `Date.now` by default. */
  readonly now?: () => number;
  /** Where the spool is; without it, or where the spec switches it off, the queue is in memory. */
  readonly spool?: SpoolLocation;
}

/** Where a pipeline keeps what waits for its sinks. */
export interface SpoolLocation {
  /** Directory for this pipeline in this reactor alone. */
  readonly directory: string;
  /** Directories of this pipeline in reactors that are no more. */
  readonly adopt: readonly string[];
  /** This reactor's share of what the spec allows for the spool, 0 to 1; 1 by default. */
  readonly share?: number;
  /** Whether a thread of its own waits for the disk; on by default. Needs the built program. */
  readonly thread?: boolean;
}

/** State of one instance of a pipeline. */
export interface InstanceStatus {
  /** `<pipeline>/<instance>`. */
  readonly id: string;
  /** Plugin id. */
  readonly plugin: string;
  readonly state: InstanceState;
  readonly reason?: string;
  /** Milliseconds since 1970-01-01 UTC of the last change. */
  readonly since: number;
}

/**
 * Counts of a pipeline since its start; `received = delivered + deadLettered + filtered + dropped + inFlight`. What waits in the
 * spool is in flight. What an earlier run had received is in none of these, only in `recovered`.
 */
export interface PipelineCounts {
  readonly received: number;
  readonly receivedBytes: number;
  readonly delivered: number;
  readonly deadLettered: number;
  /** Events that a step removed. */
  readonly filtered: number;
  readonly dropped: number;
  readonly inFlight: number;
  /** Events that an earlier run had left in the spool and this one has written, dead letters included. */
  readonly recovered: number;
  /** Events by event type that reached a sink. */
  readonly deliveredByType: Readonly<Record<string, number>>;
  /** Dead letters by reject code. */
  readonly deadLettersByCode: Readonly<Record<string, number>>;
}

/** What operators see of a pipeline. */
export interface PipelineStatus {
  readonly name: string;
  readonly instances: readonly InstanceStatus[];
  readonly counts: PipelineCounts;
  readonly queue: {
    readonly entries: number;
    readonly rows: number;
    readonly bytes: number;
    /** Age of the oldest entry in ms, 0 when empty. */
    readonly oldestMs: number;
    /** Missing where the queue is in memory. */
    readonly spool?: SpoolStats;
  };
  /** Whether sources are waiting for room. */
  readonly backPressure: boolean;
}

/** What a drain achieved. */
export interface DrainReport {
  readonly pipeline: string;
  /** Events written since the drain began. */
  readonly written: number;
  /** Events that were still in the gateway at the deadline. */
  readonly left: number;
  /** So many of them are in the spool, to be written after the next start; the others are given up. */
  readonly kept?: number;
  /** Events that wait in the spool for the next start, those of earlier runs included; missing when there are none. */
  readonly waiting?: number;
}

/** A running flow from one source to its sinks. */
export interface Pipeline {
  readonly name: string;
  /** Starts sinks, then parsers, then the source; what had started is stopped again if one fails. */
  start(signal: AbortSignal): Promise<void>;
  /**
   * Stops the source, writes out what is in the pipeline, stops the rest. Safe without `start` and twice.
   * @param deadline milliseconds since 1970-01-01 UTC; what is not written then stays in the spool and in flight. Where
   *   there is no spool, it is given up and counted as dropped.
   */
  drain(deadline: number): Promise<DrainReport>;
  /** Tries dead letters again; one outcome for each, in their order. Does not reject. To be called while it runs. */
  replay(items: readonly ReplayItem[]): Promise<readonly ReplayOutcome[]>;
  status(): PipelineStatus;
  /** Takes over spools of reactors that are no more: what they hold is written, and they are removed. */
  adopt(directories: readonly string[]): void;
}
