import type { Counter, Gauge, Histogram, Labels, Metrics } from '../api/index.js';
import { RUNTIME_METRICS, type MetricDefinition } from '../observability/index.js';
import type { SpoolStats } from './queue.js';

/** How an attempt to write ended. */
export type WriteOutcome = 'ok' | 'retryable' | 'permanent' | 'partial';

/** Values of the gauges, taken together. */
export interface GaugeValues {
  readonly inFlight: number;
  readonly bufferBytes: number;
  readonly backPressure: boolean;
  readonly queue: {
    readonly entries: number;
    readonly rows: number;
    readonly bytes: number;
    readonly oldestMs: number;
    readonly spool?: SpoolStats;
  };
}

/** The instruments of one pipeline, its label set. Called once a batch, never once an event. */
export class PipelineMeter {
  readonly #pipeline: Labels;
  readonly #counters: Record<CounterKey, Counter>;
  readonly #gauges: Record<GaugeKey, Gauge>;
  readonly #seconds: Histogram;
  readonly #flushSeconds: Histogram;

  constructor(
    metrics: Metrics,
    private readonly pipeline: string,
  ) {
    this.#pipeline = { pipeline };
    const counter = ({ name, help, labels }: MetricDefinition): Counter =>
      metrics.counter(name, help, labels);
    const gauge = ({ name, help, labels }: MetricDefinition): Gauge => metrics.gauge(name, help, labels);
    this.#counters = mapKeys(COUNTERS, (key) => counter(RUNTIME_METRICS[key]));
    this.#gauges = mapKeys(GAUGES, (key) => gauge(RUNTIME_METRICS[key]));
    const histogram = ({ name, help, buckets, labels }: HistogramDefinition): Histogram =>
      metrics.histogram(name, help, buckets, labels);
    this.#seconds = histogram(RUNTIME_METRICS.sinkWriteSeconds);
    this.#flushSeconds = histogram(RUNTIME_METRICS.spoolFlushSeconds);
    this.received(0, 0);
  }

  received(events: number, bytes: number): void {
    this.#counters.eventsReceived.add(events, this.#pipeline);
    this.#counters.bytesReceived.add(bytes, this.#pipeline);
  }

  delivered(type: string, events: number): void {
    this.#counters.eventsDelivered.add(events, { pipeline: this.pipeline, type });
  }

  deadLettered(code: string, events: number): void {
    this.#counters.deadLetters.add(events, { pipeline: this.pipeline, code });
  }

  /** A step has removed events. */
  filtered(events: number): void {
    this.#counters.eventsFiltered.add(events, this.#pipeline);
  }

  dropped(reason: string, events: number): void {
    this.#counters.eventsDropped.add(events, { pipeline: this.pipeline, reason });
  }

  /** Events of an earlier run were written. */
  recovered(events: number): void {
    this.#counters.eventsRecovered.add(events, this.#pipeline);
  }

  /** A flush of the spool took so many ms. */
  flushed(ms: number): void {
    this.#flushSeconds.observe(ms / 1000, this.#pipeline);
  }

  /** One attempt to write; rows and bytes count when it was `ok`. */
  wrote(sink: string, outcome: WriteOutcome, ms: number, rows: number, bytes: number): void {
    const labels = { pipeline: this.pipeline, sink };
    this.#counters.sinkWrites.add(1, { ...labels, outcome });
    this.#seconds.observe(ms / 1000, labels);
    if (outcome !== 'ok') return;
    this.#counters.sinkRows.add(rows, labels);
    this.#counters.sinkBytes.add(bytes, labels);
  }

  gauges({ inFlight, bufferBytes, backPressure, queue }: GaugeValues): void {
    this.#gauges.eventsInFlight.set(inFlight, this.#pipeline);
    this.#gauges.bufferBytes.set(bufferBytes, this.#pipeline);
    this.#gauges.backPressure.set(backPressure ? 1 : 0, this.#pipeline);
    this.#gauges.queueEntries.set(queue.entries, this.#pipeline);
    this.#gauges.queueRows.set(queue.rows, this.#pipeline);
    this.#gauges.queueBytes.set(queue.bytes, this.#pipeline);
    this.#gauges.queueOldest.set(queue.oldestMs / 1000, this.#pipeline);
    if (queue.spool !== undefined) this.#spoolGauges(queue.spool);
  }

  #spoolGauges(spool: SpoolStats): void {
    this.#gauges.spoolEntries.set(spool.entries, this.#pipeline);
    this.#gauges.spoolBytes.set(spool.bytes, this.#pipeline);
    this.#gauges.spoolMaxBytes.set(spool.maxBytes, this.#pipeline);
    this.#gauges.spoolFull.set(spool.full, this.#pipeline);
    this.#gauges.spoolQuarantined.set(spool.quarantined, this.#pipeline);
    this.#gauges.spoolStranded.set(spool.stranded, this.#pipeline);
  }
}

type HistogramDefinition = MetricDefinition & { readonly buckets: readonly number[] };

const COUNTERS = [
  'eventsReceived',
  'bytesReceived',
  'eventsDelivered',
  'deadLetters',
  'eventsFiltered',
  'eventsDropped',
  'sinkWrites',
  'sinkRows',
  'sinkBytes',
  'eventsRecovered',
] as const;
type CounterKey = (typeof COUNTERS)[number];

const GAUGES = [
  'eventsInFlight',
  'bufferBytes',
  'backPressure',
  'queueEntries',
  'queueRows',
  'queueBytes',
  'queueOldest',
  'spoolEntries',
  'spoolBytes',
  'spoolMaxBytes',
  'spoolFull',
  'spoolQuarantined',
  'spoolStranded',
] as const;
type GaugeKey = (typeof GAUGES)[number];

function mapKeys<Key extends string, T>(keys: readonly Key[], make: (key: Key) => T): Record<Key, T> {
  return Object.fromEntries(keys.map((key) => [key, make(key)])) as Record<Key, T>;
}
