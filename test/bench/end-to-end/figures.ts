import type { Latency } from './generator-messages.js';
import type { Measured } from './measure.js';
import { round } from './numbers.js';

/** Figures of one run of a receiver. */
export interface Figures {
  readonly events: number;
  /** Mean size of an event with its LF, bytes. */
  readonly meanBytes: number;
  /** Events a second that were taken, while sending. */
  readonly takenPerSecond: number;
  /** Events a second from the first byte until all were stored. */
  readonly storedPerSecond: number;
  /** MiB a second that were taken, while sending. */
  readonly mibPerSecond: number;
  /** CPU seconds a million events, by part. */
  readonly cpuPerMillion: Readonly<Record<string, number>>;
  /** Events a CPU second of the receiver: of a gateway its reactors and its control plane, without ClickHouse. */
  readonly eventsPerCpuSecond: number;
  /** Highest resident memory of one process of each part, bytes. */
  readonly peakRssBytes: Readonly<Record<string, number>>;
  /** Cores that the generator used while it sent; near 1, it was the limit. */
  readonly generatorLoad: number;
  /** Cores that other programs of the machine used: figures of a busy machine are worse than they should be. */
  readonly otherLoad: number;
  readonly latency?: PacedLatency;
}

/** Time to the Ack, and the rate at which it was measured. */
export interface PacedLatency extends Latency {
  /** Events a second, sent evenly. */
  readonly perSecond: number;
}

/** The part whose CPU time is not the receiver's own. */
const STORE = 'clickhouse';

/** Makes figures of what was measured. */
export function figuresOf(measured: Measured, latency?: PacedLatency): Figures {
  const { events, bytes, takenSeconds, storedSeconds, cpuSeconds } = measured;
  const parts = Object.entries(cpuSeconds);
  const own = parts.reduce((sum, [part, seconds]) => (part === STORE ? sum : sum + seconds), 0);
  return {
    events,
    meanBytes: round(bytes / events, 1),
    takenPerSecond: Math.round(events / takenSeconds),
    storedPerSecond: Math.round(events / storedSeconds),
    mibPerSecond: round(bytes / takenSeconds / 2 ** 20, 1),
    cpuPerMillion: Object.fromEntries(
      parts.map(([part, seconds]) => [part, round((seconds / events) * 1e6, 3)]),
    ),
    eventsPerCpuSecond: Math.round(events / own),
    peakRssBytes: measured.peakRssBytes,
    generatorLoad: round(measured.generatorLoad, 2),
    otherLoad: round(measured.otherLoad, 2),
    ...(latency === undefined ? {} : { latency }),
  };
}
