import type { Registry } from 'prom-client';
import type { DataPlaneHost } from '../data-plane/index.js';
import { mergeMetrics, type MetricsJson } from './merge-metrics.js';

/** Metrics of the control plane and of the reactors that answer. */
export class MetricsService {
  /** @param refresh reads gauges anew before each answer */
  constructor(
    private readonly registry: Registry,
    private readonly dataPlane: Pick<DataPlaneHost, 'collectMetrics'>,
    private readonly refresh: () => void,
  ) {}

  /** Prometheus text format 0.0.4. */
  async text(): Promise<string> {
    this.refresh();
    const [control, reactors] = await Promise.all([
      this.registry.getMetricsAsJSON(),
      this.dataPlane.collectMetrics(),
    ]);
    return mergeMetrics(control, reactors as unknown as MetricsJson[]);
  }
}
