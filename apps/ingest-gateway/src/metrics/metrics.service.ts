import { Inject, Injectable } from '@nestjs/common';
import type { Registry } from 'prom-client';
import { DataPlaneHost } from '../data-plane/index.js';
import { REGISTRY } from '../dependencies.js';
import { ControlGauges } from './control-gauges.js';
import { mergeMetrics, type MetricsJson } from './merge-metrics.js';

/** How long an answer is given again, ms. */
const SHARED_MS = 100;

/** Metrics of the control plane and of the reactors that answer. */
@Injectable()
export class MetricsService {
  #shared: { readonly at: number; readonly text: Promise<string> } | undefined;

  constructor(
    @Inject(REGISTRY) private readonly registry: Pick<Registry, 'getMetricsAsJSON'>,
    @Inject(DataPlaneHost) private readonly dataPlane: Pick<DataPlaneHost, 'collectMetrics'>,
    @Inject(ControlGauges) private readonly gauges: Pick<ControlGauges, 'refresh'>,
  ) {}

  /**
   * Prometheus text format 0.0.4, at most 100 ms old: it takes milliseconds of every process, and anybody may ask, so that
   * many who ask at once share one answer.
   */
  text(): Promise<string> {
    const now = performance.now();
    if (this.#shared === undefined || now - this.#shared.at >= SHARED_MS) {
      this.#shared = { at: now, text: this.#collect() };
    }
    return this.#shared.text;
  }

  async #collect(): Promise<string> {
    this.gauges.refresh();
    const [control, reactors] = await Promise.all([
      this.registry.getMetricsAsJSON(),
      this.dataPlane.collectMetrics(),
    ]);
    return mergeMetrics(control, reactors as unknown as MetricsJson[]);
  }
}
