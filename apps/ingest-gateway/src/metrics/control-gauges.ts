import { Inject, Injectable } from '@nestjs/common';
import type { Gauge, Metrics } from '@activity-gateway/pipeline/api';
import { AgentsService } from '../agents/index.js';
import type { ClickHouseService } from '../clickhouse/types.js';
import { DataPlaneHost } from '../data-plane/index.js';
import { CLICKHOUSE, METRICS, STORE } from '../dependencies.js';
import type { Store } from '../store/index.js';

const DAY_MS = 86_400_000;

/** Gauges of the control plane, read when somebody asks. */
@Injectable()
export class ControlGauges {
  readonly #gauges: ReturnType<typeof createGauges>;

  constructor(
    @Inject(METRICS) private readonly metrics: Metrics,
    @Inject(AgentsService) private readonly agents: Pick<AgentsService, 'allowlist'>,
    @Inject(CLICKHOUSE) private readonly clickhouse: Pick<ClickHouseService, 'status'>,
    @Inject(STORE) private readonly store: Pick<Store, 'status'>,
    @Inject(DataPlaneHost) private readonly dataPlane: Pick<DataPlaneHost, 'status' | 'connectedAgents'>,
  ) {
    this.#gauges = createGauges(metrics);
  }

  /** Sets every gauge to its value now. */
  refresh(): void {
    const { allowlisted, connected, listening, clickhouse, store, notAfter } = this.#gauges;
    const listener = this.dataPlane.status();
    allowlisted.set(this.agents.allowlist.current.length);
    connected.set(this.dataPlane.connectedAgents().size);
    listening.set(listener.state === 'listening' ? 1 : 0);
    const { state, retention } = this.clickhouse.status();
    // A retention that waits for a confirmation is a matter of a ClickHouse that works.
    clickhouse.set(state === 'ok' || retention !== undefined ? 1 : 0);
    store.set(this.store.status().state === 'ok' ? 1 : 0);
    notAfter.set((listener.certificate?.notAfter ?? 0) / 1_000);
    if (listener.certificate !== undefined) {
      this.#daysLeft().set(Math.floor(((listener.certificate.notAfter - Date.now()) / DAY_MS) * 100) / 100);
    }
  }

  /** Made with the first certificate: no value of it would be true before. */
  #daysLeft(): Gauge {
    return this.metrics.gauge(
      'gateway_certificate_expires_days',
      'Days until the server certificate ends; negative after its end.',
    );
  }
}

function createGauges(
  metrics: Metrics,
): Record<'allowlisted' | 'connected' | 'listening' | 'clickhouse' | 'store' | 'notAfter', Gauge> {
  return {
    allowlisted: metrics.gauge('gateway_agents_allowlisted', 'Agents that may stream.'),
    connected: metrics.gauge('gateway_agents_connected', 'Agents with an open connection.'),
    listening: metrics.gauge('gateway_listener_up', '1 while agents can connect, otherwise 0.'),
    clickhouse: metrics.gauge(
      'gateway_clickhouse_up',
      '1 while ClickHouse is reachable and migrated, otherwise 0.',
    ),
    store: metrics.gauge('gateway_store_up', '1 while the store can be read and written, otherwise 0.'),
    notAfter: metrics.gauge(
      'gateway_certificate_expiry_timestamp_seconds',
      'When the server certificate ends, in seconds since 1970-01-01 UTC; 0 without one.',
    ),
  };
}
