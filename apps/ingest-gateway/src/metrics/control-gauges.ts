import type { Gauge, Metrics } from '@activity-gateway/pipeline/api';
import type { AgentsService } from '../agents/index.js';
import type { ClickHouseService } from '../clickhouse/types.js';
import type { DataPlaneHost } from '../data-plane/index.js';
import type { Store } from '../store/index.js';

const DAY_MS = 86_400_000;

/** What the gauges are read from. */
export interface GaugeSources {
  readonly agents: Pick<AgentsService, 'allowlist'>;
  readonly clickhouse: Pick<ClickHouseService, 'status'>;
  readonly store: Pick<Store, 'status'>;
  readonly dataPlane: Pick<DataPlaneHost, 'status' | 'connectedAgents'>;
}

/** Makes the gauges of the control plane; the function that is returned reads their values anew. */
export function createControlGauges(metrics: Metrics, sources: GaugeSources): () => void {
  const allowlisted = metrics.gauge('gateway_agents_allowlisted', 'Agents that may stream.');
  const connected = metrics.gauge('gateway_agents_connected', 'Agents with an open connection.');
  const listening = metrics.gauge('gateway_listener_up', '1 while agents can connect, otherwise 0.');
  const clickhouse = metrics.gauge(
    'gateway_clickhouse_up',
    '1 while ClickHouse is reachable and migrated, otherwise 0.',
  );
  const store = metrics.gauge('gateway_store_up', '1 while the store can be read and written, otherwise 0.');
  const notAfter = metrics.gauge(
    'gateway_certificate_expiry_timestamp_seconds',
    'When the server certificate ends, in seconds since 1970-01-01 UTC; 0 without one.',
  );
  // Made with the first certificate: no value of it would be true before.
  const daysLeft = (): Gauge =>
    metrics.gauge(
      'gateway_certificate_expires_days',
      'Days until the server certificate ends; negative after its end.',
    );
  return () => {
    const listener = sources.dataPlane.status();
    allowlisted.set(sources.agents.allowlist.current.length);
    connected.set(sources.dataPlane.connectedAgents().size);
    listening.set(listener.state === 'listening' ? 1 : 0);
    const { state, retention } = sources.clickhouse.status();
    // A retention that waits for a confirmation is a matter of a ClickHouse that works.
    clickhouse.set(state === 'ok' || retention !== undefined ? 1 : 0);
    store.set(sources.store.status().state === 'ok' ? 1 : 0);
    notAfter.set((listener.certificate?.notAfter ?? 0) / 1_000);
    if (listener.certificate !== undefined) {
      daysLeft().set(Math.floor(((listener.certificate.notAfter - Date.now()) / DAY_MS) * 100) / 100);
    }
  };
}
