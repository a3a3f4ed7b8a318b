import { AggregatorRegistry } from 'prom-client';
import type { PipelineCounts } from '@activity-gateway/pipeline/host';
import type { ReactorProcess } from './reactor-process.js';
import type { EndedPipeline } from './types.js';

/** What stays of metrics when a process ends: what it has counted. Its gauges end with it. */
const LASTING = new Set(['counter', 'histogram']);

/**
 * What reactors had counted when they ended. Sums over all reactors go on from there: a counter that fell because a reactor
 * was retired would look like a restart, and everything before it be counted again.
 */
export class EndedReactors {
  readonly #counts = new Map<string, PipelineCounts>();
  #metrics: (readonly object[])[] = [];

  /** Takes what a process told last. */
  add(process: Pick<ReactorProcess, 'status' | 'lastMetrics' | 'drained'>): void {
    const lasting = process.lastMetrics?.filter((metric) => LASTING.has((metric as { type: string }).type));
    if (lasting !== undefined && lasting.length > 0) this.#metrics.push(lasting);
    // What one that died held is not known: its counts would never add up.
    if (!process.drained) return;
    for (const { name, counts: last } of process.status?.pipelines ?? []) {
      const counts = withoutKept(last);
      const before = this.#counts.get(name);
      this.#counts.set(name, before === undefined ? counts : addCounts(before, counts));
    }
  }

  /** Counts of pipelines in reactors that ended in order. */
  pipelines(): EndedPipeline[] {
    return [...this.#counts].map(([name, counts]) => ({ name, counts }));
  }

  /** Their counters and histograms as one more reactor's `getMetricsAsJSON`; empty while none has ended. */
  async metrics(): Promise<readonly object[]> {
    if (this.#metrics.length > 1) {
      const folding = this.#metrics;
      this.#metrics = [];
      const folded = await AggregatorRegistry.aggregate(folding).getMetricsAsJSON();
      this.#metrics.unshift(folded);
    }
    return this.#metrics.flat();
  }
}

/** What it left in its spool is for another to write, which counts it as `recovered`: here it would stay in flight indefinitely. */
function withoutKept(counts: PipelineCounts): PipelineCounts {
  return { ...counts, received: counts.received - counts.inFlight, inFlight: 0 };
}

function addCounts(a: PipelineCounts, b: PipelineCounts): PipelineCounts {
  return {
    received: a.received + b.received,
    receivedBytes: a.receivedBytes + b.receivedBytes,
    delivered: a.delivered + b.delivered,
    deadLettered: a.deadLettered + b.deadLettered,
    filtered: a.filtered + b.filtered,
    dropped: a.dropped + b.dropped,
    inFlight: a.inFlight + b.inFlight,
    recovered: a.recovered + b.recovered,
    deliveredByType: addByName(a.deliveredByType, b.deliveredByType),
    deadLettersByCode: addByName(a.deadLettersByCode, b.deadLettersByCode),
  };
}

function addByName(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum = { ...a };
  for (const [name, value] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + value;
  return sum;
}
