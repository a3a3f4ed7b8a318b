import type { Registry } from 'prom-client';
import type { GatewayConfig } from '@activity-gateway/pipeline/host';
import type { Logger, Metrics } from '@activity-gateway/pipeline/api';
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

/** Requests to the REST API in each period of `windowMs`. */
export interface RequestRates {
  /** With one valid key. */
  readonly key: number;
  /** From one address, or one IPv6 /64, without a valid key where one is needed. */
  readonly failed: number;
  /** From one address, or one IPv6 /64, where no key is needed. */
  readonly open: number;
  /** Length of a period, ms. */
  readonly windowMs: number;
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
/** Token of the `GatewayConfig`. */
export const CONFIG = Symbol('config');
/** Token of the `Metrics` of this process. */
export const METRICS = Symbol('metrics');
/** Token of the `Registry` that holds them. */
export const REGISTRY = Symbol('registry');
/** Token of the `Logger`. */
export const LOGGER = Symbol('logger');
/** Token of the `Store`. */
export const STORE = Symbol('store');
/** Token of the `ClickHouseService`. */
export const CLICKHOUSE = Symbol('clickhouse');
