import { availableParallelism } from 'node:os';
import type { AcceptorSettings } from '../listener/types.js';
import type { ReactorSettings } from '../reactor/messages.js';
import type { SettingsSnapshot } from './definitions.js';

const SECOND = 1_000;
/** What an enrollment may take after its request has come: the decision, and the agent's taking of the answer, ms. */
const ENROLLMENT_ANSWER_MS = 15_000;

/** `activitymonitor_reactor_threads` resolved: 0 means one for each core that this process may use. */
export function reactorCount(settings: SettingsSnapshot): number {
  return settings.activitymonitor_reactor_threads || availableParallelism();
}

/** Settings as the acceptor takes them. */
export function toAcceptorSettings(settings: SettingsSnapshot): AcceptorSettings {
  return {
    port: settings.activitymonitor_tcp_port,
    maxConnections: settings.activitymonitor_max_connections,
    banDurationMs: settings.activitymonitor_enrollment_ban_duration_seconds * SECOND,
    unidentifiedMs:
      settings.activitymonitor_enrollment_first_message_timeout_seconds * SECOND + ENROLLMENT_ANSWER_MS,
  };
}

/** Settings over all reactors; the data plane gives each its share. */
export function toReactorSettings(settings: SettingsSnapshot): ReactorSettings {
  return {
    connection: {
      maxMessageBytes: settings.activitymonitor_max_message_size,
      idleTimeoutMs: settings.activitymonitor_connection_timeout * SECOND,
      firstMessageTimeoutMs: settings.activitymonitor_enrollment_first_message_timeout_seconds * SECOND,
    },
    flow: {
      batchSize: settings.activitymonitor_batch_size,
      batchIntervalMs: settings.activitymonitor_batch_interval_seconds * SECOND,
      maxConcurrentJobs: settings.activitymonitor_max_concurrent_jobs,
      bufferMaxEvents: settings.activitymonitor_buffer_max_size,
      sinkBatchSize: settings.activitymonitor_clickhouse_batch_size,
      sinkWriters: settings.activitymonitor_buffer_threads,
    },
  };
}

/** `activitymonitor_shutdown_drain_timeout_seconds` in ms. */
export function drainTimeoutMs(settings: SettingsSnapshot): number {
  return settings.activitymonitor_shutdown_drain_timeout_seconds * SECOND;
}
