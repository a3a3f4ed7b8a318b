import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import {
  type GatewayConfig,
  type ReplayItem,
  type ReplayOutcome,
  createMetrics,
} from '@activity-gateway/pipeline/host';
import { GatewayError, type Endpoint, type EventType } from '@activity-gateway/pipeline/api';
import { createLiveValue } from '@activity-gateway/pipeline/helpers';
import { createRecordingLogger, type RecordingLogger } from '@activity-gateway/pipeline/testing';
import { AskedDeadLetters } from '../../apps/ingest-gateway/src/clickhouse/asked-dead-letters.js';
import { AdminKey } from '../../apps/ingest-gateway/src/admin/admin-key.js';
import { clickHouseDefaults, shippedEventTypes } from './clickhouse.js';
import { MemoryDeadLetters } from './memory-dead-letters.js';
import type {
  ActivityEvent,
  ActivityQuery,
  ActivitySummary,
  ClickHouseService,
  ClickHouseStatus,
  DeadLetterStore,
  WaitingRetention,
} from '../../apps/ingest-gateway/src/clickhouse/types.js';
import { createControlPlane, type ControlPlane } from '../../apps/ingest-gateway/src/control-plane.js';
import type { KeyChange } from '../../apps/ingest-gateway/src/listener/key-change.js';
import type {
  DataPlane,
  DataPlaneOptions,
  ListenerStatus,
} from '../../apps/ingest-gateway/src/listener/types.js';
import type { GatewayDependencies } from '../../apps/ingest-gateway/src/dependencies.js';
import { createEmbeddedStore, type Store } from '../../apps/ingest-gateway/src/store/index.js';

/** Admin key of the control planes made here. */
export const TEST_ADMIN_KEY = 'test-admin-key-0123456789';
/** SPKI hash of the fake listener's certificate. */
export const TEST_SERVER_SPKI = '5'.repeat(64);

/** A data plane without sockets: it keeps what it is told and says what the test sets. */
export class FakeDataPlane implements DataPlane {
  readonly calls: [name: string, ...args: unknown[]][] = [];
  connections = new Map<string, number>();
  metrics: (readonly object[])[] = [];
  failAcceptor: Error | undefined;
  replayed: (items: readonly ReplayItem[]) => readonly ReplayOutcome[] | undefined = () => undefined;
  state: ListenerStatus;

  constructor(readonly options: DataPlaneOptions) {
    this.state = {
      state: 'starting',
      host: options.host,
      port: 0,
      connections: 0,
      maxConnections: options.acceptor.maxConnections,
      unidentifiedConnections: 0,
      rejected: { banned: 0, rate: 0, slowed: 0, limit: 0, unidentified: 0 },
      limitsReached: [],
      bans: [],
      reactors: [],
    };
  }

  async start(listen = true): Promise<void> {
    this.calls.push(['start']);
    this.state = {
      ...this.state,
      state: listen ? 'listening' : 'stopped',
      port: listen ? 41514 : 0,
      certificate: { spkiHash: TEST_SERVER_SPKI, notAfter: Date.UTC(2036, 0, 1), selfSigned: true },
      reactors: [{ index: 0, pid: 4711, state: 'ready', restarts: 0 }],
    };
  }

  pause(): void {
    this.calls.push(['pause']);
    this.state = { ...this.state, state: 'stopped', port: 0 };
  }

  async resume(): Promise<void> {
    this.calls.push(['resume']);
    this.state = { ...this.state, state: 'listening', port: 41514 };
  }

  async confirmServerKey(): Promise<KeyChange> {
    this.calls.push(['confirmServerKey']);
    const { certificate } = this.state;
    if (certificate?.keyChange === undefined)
      throw new GatewayError('CERTIFICATE_UNCHANGED', 'Nothing to confirm.');
    const { keyChange, ...rest } = certificate;
    this.state = { ...this.state, certificate: { ...rest, spkiHash: keyChange.to } };
    return keyChange;
  }

  liftBan(ip: string): boolean {
    const left = this.state.bans.filter((ban) => ban.address !== ip);
    const found = left.length < this.state.bans.length;
    this.state = { ...this.state, bans: left };
    return found;
  }

  async updateAcceptor(settings: unknown): Promise<void> {
    this.calls.push(['updateAcceptor', settings]);
    if (this.failAcceptor !== undefined) throw this.failAcceptor;
  }

  updateReactorSettings(settings: unknown): void {
    this.calls.push(['updateReactorSettings', settings]);
  }

  resizeReactors(count: number): void {
    this.calls.push(['resizeReactors', count]);
  }

  updateAllowlist(entries: unknown): void {
    this.calls.push(['updateAllowlist', entries]);
  }

  updateEndpoints(endpoints: unknown): void {
    this.calls.push(['updateEndpoints', endpoints]);
  }

  status(): ListenerStatus {
    return this.state;
  }

  /** Addresses that it knows; those that it was told are added. */
  readonly addresses: { address: string; at: number }[] = [];

  knownAddresses(): { address: string; at: number }[] {
    return this.addresses;
  }

  learnAddresses(addresses: readonly { address: string; at: number }[]): void {
    this.addresses.push(...addresses);
  }

  connectedAgents(): ReadonlyMap<string, number> {
    return this.connections;
  }

  async replay(
    pipeline: string,
    items: readonly ReplayItem[],
  ): Promise<readonly ReplayOutcome[] | undefined> {
    this.calls.push(['replay', pipeline, items]);
    return this.replayed(items);
  }

  async collectMetrics(): Promise<(readonly object[])[]> {
    return this.metrics;
  }

  async stop(deadline: number): Promise<readonly []> {
    this.calls.push(['stop', deadline]);
    this.state = { ...this.state, state: 'stopped', port: 0, reactors: [] };
    return [];
  }
}

/** A ClickHouse without a server. */
export class FakeClickHouse implements ClickHouseService {
  readonly endpoint = createLiveValue<Endpoint | undefined>(undefined);
  /** Where dead letters are, unless a test gives another place. */
  readonly memory = new MemoryDeadLetters();
  deadLetterStore: DeadLetterStore = this.memory;
  readonly deadLetters = new AskedDeadLetters(async (question) => {
    this.#ensureUp();
    return question(this.deadLetterStore);
  });
  readonly queries: ActivityQuery[] = [];
  answer: ActivityEvent[] = [];
  state: ClickHouseStatus = { mode: 'embedded', state: 'ok', url: 'http://127.0.0.1:48123' };
  /** Table whose retention cannot be changed. */
  unchangeable: string | undefined;
  retention: readonly WaitingRetention[] = [];
  starts = 0;
  stops = 0;

  start(): void {
    this.starts += 1;
    this.endpoint.set({ url: this.state.url, database: 'activity', username: 'default', password: '' });
  }

  status(): ClickHouseStatus {
    return this.state;
  }

  async events(query: ActivityQuery): Promise<ActivityEvent[]> {
    this.#ensureUp();
    this.queries.push(query);
    return this.answer;
  }

  async summary(): Promise<ActivitySummary> {
    this.#ensureUp();
    const none = { events: 0, lastEventTime: null };
    return {
      types: Object.fromEntries(shippedEventTypes.map(({ type }) => [type, none])),
      deadLetters: { total: 0, byCode: {} },
    };
  }

  async waitingRetention(): Promise<readonly WaitingRetention[]> {
    this.#ensureUp();
    return this.retention;
  }

  async applyRetention(
    onMade: (change: WaitingRetention) => void = () => undefined,
  ): Promise<readonly WaitingRetention[]> {
    const made = await this.waitingRetention();
    for (const change of made) {
      if (change.table === this.unchangeable)
        throw new GatewayError('RETENTION_UNSAFE', 'It cannot be changed safely.');
      onMade(change);
    }
    this.retention = [];
    return made;
  }

  async stop(): Promise<void> {
    this.stops += 1;
  }

  #ensureUp(): void {
    if (this.state.state === 'ok') return;
    throw new GatewayError('CLICKHOUSE_UNAVAILABLE', 'ClickHouse cannot be asked.', 'Try again later.');
  }
}

/** A configuration as `gateway.yaml` would give it, every port chosen by the system. */
export function testConfig(dataDir: string, settings: GatewayConfig['settings'] = {}): GatewayConfig {
  return {
    dataDir,
    http: { host: '127.0.0.1', port: 0, trustedProxies: [], allowedHosts: [] },
    admin: { apiKey: TEST_ADMIN_KEY },
    listener: { host: '127.0.0.1', tls: {}, maxConnectionsPerKey: 8, neverBan: [] },
    store: { use: 'embedded' },
    clickhouse: clickHouseDefaults,
    log: { level: 'error', format: 'json' },
    settings: { activitymonitor_tcp_port: 0, ...settings },
    plugins: [],
    pipelines: [],
    eventTypes: shippedEventTypes,
  };
}

/** The real control plane, REST port and store included, over a fake data plane and a fake ClickHouse. */
export interface TestControlPlane extends ControlPlane {
  readonly store: Store;
  readonly logger: RecordingLogger;
  readonly clickhouse: FakeClickHouse;
  /** The data planes made so far, the current one last. */
  readonly planes: FakeDataPlane[];
  plane(): FakeDataPlane;
  /** Sends a request with the admin key; a string is sent as it is, anything else as JSON. */
  rest(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<RestAnswer>;
  dispose(): Promise<void>;
}

/** An answer of the REST API. */
export interface RestAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** JSON where the answer says so, otherwise text. */
  readonly body: unknown;
}

/** What a control plane has other than `startControlPlane` gives it. */
export interface TestDependencies {
  readonly eventTypes?: readonly EventType[];
  readonly clickhouse?: FakeClickHouse;
}

/** Starts one, agents "served". */
export async function startControlPlane(
  settings: GatewayConfig['settings'] = {},
  http: Partial<GatewayConfig['http']> = {},
  requestRates?: GatewayDependencies['requestRates'],
  { eventTypes = shippedEventTypes, clickhouse = new FakeClickHouse() }: TestDependencies = {},
): Promise<TestControlPlane> {
  const dataDir = await mkdtemp(join(tmpdir(), 'control-plane-'));
  const store = await createEmbeddedStore(join(dataDir, 'store'));
  const logger = createRecordingLogger();
  const planes: FakeDataPlane[] = [];
  const registry = new Registry();
  const base = testConfig(dataDir, settings);
  const config = { ...base, eventTypes, http: { ...base.http, ...http } };
  const key = await loadTestKey(store, dataDir, logger);
  const removeAll = async (): Promise<void> => {
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  };
  const control = await createControlPlane(
    {
      identity: { id: 'gw', version: '0.0.0', startedAt: new Date(0).toISOString() },
      config,
      logger,
      metrics: createMetrics(registry),
      registry,
      store,
      clickhouse,
      ...(requestRates && { requestRates }),
      createDataPlane: (options) => {
        const plane = new FakeDataPlane(options);
        planes.push(plane);
        return plane;
      },
    },
    key.matches,
  ).catch(async (error: unknown) => {
    await removeAll();
    throw error;
  });
  clickhouse.start();
  await control.dataPlane.start();
  return {
    ...control,
    store,
    logger,
    clickhouse,
    planes,
    plane: () => planes.at(-1)!,
    rest: (...args) => rest(control.httpUrl, ...args),
    dispose: async () => {
      await control.dataPlane.stop(0);
      await control.agents.stop();
      await control.close();
      await removeAll();
    },
  };
}

function loadTestKey(store: Store, dataDir: string, logger: RecordingLogger): Promise<AdminKey> {
  return AdminKey.load({ configured: TEST_ADMIN_KEY, installation: store.installation, dataDir, logger });
}

async function rest(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<RestAnswer> {
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${TEST_ADMIN_KEY}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = /[/+]json\b/.test(response.headers.get('content-type') ?? '') && text !== '';
  return {
    status: response.status,
    headers: response.headers,
    body: json ? (JSON.parse(text) as unknown) : text,
  };
}
