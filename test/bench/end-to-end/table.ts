import type { Figures } from './results.js';

const COLUMNS = [
  ['scenario', 20],
  ['taken/s', 10],
  ['stored/s', 10],
  ['MiB/s', 7],
  ['gw CPU s/M', 11],
  ['CH CPU s/M', 11],
  ['ev/CPU s', 10],
  ['vs bare', 8],
  ['RSS MiB', 8],
  ['p50 ms', 7],
  ['p99 ms', 7],
  ['gen', 5],
] as const;

/** Heading of the table. */
export function heading(): string {
  return line(COLUMNS.map(([title]) => title));
}

/** One row: figures of a receiver, and its ratio to the bare loop where there is one. */
export function row(name: string, figures: Figures, ratio?: number): string {
  const { cpuPerMillion: cpu, latency } = figures;
  const own = 1e6 / figures.eventsPerCpuSecond;
  const peak = figures.peakRssBytes['reactors'] ?? Math.max(...Object.values(figures.peakRssBytes));
  return line([
    name,
    figures.takenPerSecond,
    figures.storedPerSecond,
    figures.mibPerSecond.toFixed(1),
    own.toFixed(2),
    cpu['clickhouse']?.toFixed(2),
    figures.eventsPerCpuSecond,
    ratio?.toFixed(2),
    (peak / 2 ** 20).toFixed(0),
    latency?.p50.toFixed(1),
    latency?.p99.toFixed(1),
    figures.generatorLoad.toFixed(2),
  ]);
}

function line(cells: readonly (string | number | undefined)[]): string {
  const padded = COLUMNS.map(([, width], i) => {
    const text = String(cells[i] ?? '-');
    return i === 0 ? text.padEnd(width) : text.padStart(width);
  });
  return padded.join(' ');
}
