import {
  AggregatorRegistry,
  Registry,
  type MetricObject,
  type MetricObjectWithValues,
  type MetricValue,
} from 'prom-client';

/** Metrics as prom-client's `getMetricsAsJSON` gives them. */
export type MetricsJson = readonly MetricObjectWithValues<MetricValue<string>>[];

/**
 * One Prometheus text for all processes of the gateway. Reactors are summed up as each metric says; every series
 * carries `process` (`control` or `reactor`), so that what both have stays apart.
 */
export async function mergeMetrics(control: MetricsJson, reactors: readonly MetricsJson[]): Promise<string> {
  const merged = new Map<string, MetricObjectWithValues<MetricValue<string>>>();
  add(merged, control, 'control');
  if (reactors.length > 0) add(merged, await aggregate(reactors), 'reactor');
  const registry = new Registry();
  for (const metric of merged.values()) register(registry, metric);
  return registry.metrics();
}

/** A lone reactor is taken as it is: aggregating leaves out what cannot be summed up, such as the start time. */
async function aggregate(reactors: readonly MetricsJson[]): Promise<MetricsJson> {
  const [first, ...others] = reactors;
  if (first === undefined || others.length === 0) return first ?? [];
  const registry = AggregatorRegistry.aggregate(reactors as unknown as object[]);
  return registry.getMetricsAsJSON();
}

function add(
  merged: Map<string, MetricObjectWithValues<MetricValue<string>>>,
  metrics: MetricsJson,
  process: string,
): void {
  for (const metric of metrics) {
    const values = metric.values.map((value) => ({ ...value, labels: { ...value.labels, process } }));
    const before = merged.get(metric.name)?.values ?? [];
    merged.set(metric.name, { ...metric, values: [...before, ...values] });
  }
}

function register(registry: Registry, metric: MetricObjectWithValues<MetricValue<string>>): void {
  const wrapper: MetricObject & { get(): unknown } = { ...metric, get: () => Promise.resolve(metric) };
  registry.registerMetric(wrapper as never);
}
