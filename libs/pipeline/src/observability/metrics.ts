import { Counter, Gauge, Histogram, type Metric, type Registry } from 'prom-client';
import type { Metrics } from '../api/index.js';

/** Common part of prom-client's instruments that its types leave out. */
interface Registered {
  readonly labelNames: readonly string[];
}

/**
 * Metrics over a prom-client registry. Asking again for a name gives the instrument that is there.
 * @throws Error when a name is asked for as another kind or with other labels: a mistake in the code that asks
 */
export function createMetrics(registry: Registry): Metrics {
  return {
    counter(name, help, labelNames = []) {
      const metric =
        existing(registry, name, Counter, labelNames) ??
        new Counter({ name, help, labelNames: [...labelNames], registers: [registry] });
      return { add: (value, labels = {}) => metric.inc(labels, value) };
    },
    gauge(name, help, labelNames = []) {
      const metric =
        existing(registry, name, Gauge, labelNames) ??
        new Gauge({ name, help, labelNames: [...labelNames], registers: [registry] });
      return { set: (value, labels = {}) => metric.set(labels, value) };
    },
    histogram(name, help, buckets, labelNames = []) {
      const metric =
        existing(registry, name, Histogram, labelNames) ??
        new Histogram({
          name,
          help,
          buckets: [...buckets],
          labelNames: [...labelNames],
          registers: [registry],
        });
      return { observe: (value, labels = {}) => metric.observe(labels, value) };
    },
  };
}

function existing<T extends Metric>(
  registry: Registry,
  name: string,
  kind: new (...args: never[]) => T,
  labelNames: readonly string[],
): T | undefined {
  const metric = registry.getSingleMetric(name);
  if (metric === undefined) return undefined;
  const known = (metric as unknown as Registered).labelNames;
  const sameLabels = known.length === labelNames.length && labelNames.every((label) => known.includes(label));
  if (metric instanceof kind && sameLabels) return metric;
  throw new Error(`The metric ${name} exists already, as another kind or with other labels.`);
}
