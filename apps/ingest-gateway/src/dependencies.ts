import type { Registry } from 'prom-client';
import type { GatewayConfig } from '@activity-gateway/pipeline/host';
import type { Logger, Metrics } from '@activity-gateway/pipeline/api';
import type { RequestRates } from './admin/http/request-limits.js';
import type { ClickHouseService } from './clickhouse/types.js';
import type { DataPlane, DataPlaneOptions } from './listener/types.js';
import type { Store } from './store/index.js';

/** Who this gateway is. */
export interface GatewayIdentity {
  /** Stable over restarts, `[A-Za-z0-9_-]+`. */
  readonly id: string;
  readonly version: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
}

/** What is opened before the control plane is put together; each can be replaced in tests. */
export interface GatewayDependencies {
  readonly identity: GatewayIdentity;
  readonly config: GatewayConfig;
  readonly logger: Logger;
  /** Instruments of this process, and the registry that holds them. */
  readonly metrics: Metrics;
  readonly registry: Registry;
  readonly store: Store;
  readonly clickhouse: ClickHouseService;
  readonly createDataPlane: (options: DataPlaneOptions) => DataPlane;
  /** Requests that one client of the REST API may make, where other than `REQUEST_RATES`. */
  readonly requestRates?: Partial<RequestRates>;
}

/** Token of `GatewayDependencies`. */
export const DEPENDENCIES = Symbol('dependencies');
/** Token of the `GatewayIdentity`. */
export const IDENTITY = Symbol('identity');
/** Token of the `Logger`. */
export const LOGGER = Symbol('logger');
/** Token of the `Store`. */
export const STORE = Symbol('store');
/** Token of the `ClickHouseService`. */
export const CLICKHOUSE = Symbol('clickhouse');
