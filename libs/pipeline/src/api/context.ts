import type { EventType } from './event-type.js';
import type { Services } from './services.js';

/** Structured logger, already named after the instance. Never give it a secret or an event's content. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A logger whose lines carry these fields too. */
  child(fields: object): Logger;
}

/** Label names and values; values come from bounded sets. */
export type Labels = Readonly<Record<string, string>>;

/** Only goes up. */
export interface Counter {
  add(value: number, labels?: Labels): void;
}

/** Goes up and down. */
export interface Gauge {
  set(value: number, labels?: Labels): void;
}

/** Distribution of observed values. */
export interface Histogram {
  observe(value: number, labels?: Labels): void;
}

/**
 * Makes instruments; asking twice for one name gives the same one. Names are `gateway_<what>_<unit>`
 * (`docs/reference/plugin-api.md`). Add once a batch, never once an event.
 */
export interface Metrics {
  counter(name: string, help: string, labelNames?: readonly string[]): Counter;
  gauge(name: string, help: string, labelNames?: readonly string[]): Gauge;
  histogram(
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames?: readonly string[],
  ): Histogram;
}

/** State of an instance as health and status show it. */
export type InstanceState = 'starting' | 'ok' | 'degraded' | 'failed' | 'stopping' | 'stopped';

/**
 * What the host gives an instance; nothing is looked up globally. `services` holds what the definition `requires`, and
 * nothing else: `Needs` are their names.
 */
export interface PluginContext<Needs extends string = never> {
  /** `<pipeline>/<instance>`, for logs and status. */
  readonly id: string;
  /** Name of this gateway: the same after a restart, and different from that of any other gateway. */
  readonly gatewayId: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly services: Pick<Services, Extract<Needs, keyof Services>>;
  /** `buffer.max_bytes` of its pipeline: what events may take in memory, over all reactors. */
  readonly bufferBytes: number;
  /** Every event type that the pipeline's parsers produce, dead letters included: what a sink has to expect. */
  readonly eventTypes: readonly EventType[];
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
  /** Reports a state between `start` and `stop`; the reason is shown to operators. */
  report(state: 'ok' | 'degraded' | 'failed', reason?: string): void;
}
