import type { Labels, Metrics } from '../api/index.js';

/** Metrics that keep their values, for tests to look at. */
export interface RecordingMetrics extends Metrics {
  /** Names of all instruments that were asked for. */
  readonly names: ReadonlySet<string>;
  /** Value of a counter or gauge, or sum of what a histogram observed; 0 when nothing came. */
  value(name: string, labels?: Labels): number;
}

/** Makes metrics that nobody scrapes. */
export function createRecordingMetrics(): RecordingMetrics {
  const names = new Set<string>();
  const values = new Map<string, number>();
  const add = (name: string) => (value: number, labels?: Labels) => {
    const key = seriesKey(name, labels);
    values.set(key, (values.get(key) ?? 0) + value);
  };
  return {
    names,
    value: (name, labels) => values.get(seriesKey(name, labels)) ?? 0,
    counter(name) {
      names.add(name);
      return { add: add(name) };
    },
    gauge(name) {
      names.add(name);
      return { set: (value, labels) => void values.set(seriesKey(name, labels), value) };
    },
    histogram(name) {
      names.add(name);
      return { observe: add(name) };
    },
  };
}

function seriesKey(name: string, labels: Labels = {}): string {
  return JSON.stringify([name, Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
}
