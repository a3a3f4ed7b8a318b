import type { Figures } from './figures.js';

/** What a row of a table shows. */
export interface Line {
  readonly name: string;
  readonly figures: Figures;
  /** To the bare loop. */
  readonly ratio?: number;
}

/** A column of both tables, text and Markdown. */
export interface Column {
  readonly title: string;
  readonly cell: (line: Line) => string | undefined;
}

const MIB = 2 ** 20;

/** In their order; a cell without a value is shown as `-`. */
export const COLUMNS: readonly Column[] = [
  { title: 'scenario', cell: ({ name }) => name },
  { title: 'bytes', cell: ({ figures }) => figures.meanBytes.toFixed(0) },
  { title: 'taken/s', cell: ({ figures }) => thousands(figures.takenPerSecond) },
  { title: 'stored/s', cell: ({ figures }) => thousands(figures.storedPerSecond) },
  { title: 'MiB/s', cell: ({ figures }) => figures.mibPerSecond.toFixed(1) },
  { title: 'CPU s/M', cell: ({ figures }) => (1e6 / figures.eventsPerCpuSecond).toFixed(2) },
  { title: 'ClickHouse CPU s/M', cell: ({ figures }) => figures.cpuPerMillion['clickhouse']?.toFixed(2) },
  { title: 'events/CPU s', cell: ({ figures }) => thousands(figures.eventsPerCpuSecond) },
  { title: 'to bare', cell: ({ ratio }) => ratio?.toFixed(2) },
  { title: 'RSS MiB', cell: ({ figures }) => (ownPeak(figures) / MIB).toFixed(0) },
  { title: 'ack p50 ms', cell: ({ figures }) => figures.latency?.p50.toFixed(1) },
  { title: 'p99 ms', cell: ({ figures }) => figures.latency?.p99.toFixed(1) },
  { title: 'generator', cell: ({ figures }) => figures.generatorLoad.toFixed(2) },
  { title: 'others', cell: ({ figures }) => figures.otherLoad.toFixed(2) },
];

/** Peak of the largest reactor, or of the process of another receiver. */
function ownPeak({ peakRssBytes }: Figures): number {
  return peakRssBytes['reactors'] ?? Math.max(...Object.values(peakRssBytes));
}

/** 1234567 as `1,234,567`. */
export function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
