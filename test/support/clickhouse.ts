import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { Endpoint, EventType, Logger } from '@activity-gateway/pipeline/api';
import { sleep } from '@activity-gateway/pipeline/helpers';
import { createClickHouseService } from '../../apps/ingest-gateway/src/clickhouse/clickhouse.service.js';
import type {
  ClickHouseOptions,
  ClickHouseService,
  ClickHouseStatus,
} from '../../apps/ingest-gateway/src/clickhouse/types.js';
import { createPluginRegistry } from '../../apps/ingest-gateway/src/plugins.js';
import { openToAll, type TestUser } from './open-clickhouse.js';
import { childrenOf, commandOf } from './processes.js';

/** Says nothing. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};

/** What the gateway's configuration says of ClickHouse by default, for tests: embedded, on any free port. */
export const clickHouseDefaults: ClickHouseOptions['config'] = {
  username: 'default',
  password: '',
  database: 'activity',
  httpPort: 0,
  retentionDays: 400,
  deadLetterRetentionDays: 90,
  deadLetterAlert: { rows: 1_000_000, bytes: 2 ** 30 },
};

/** What the program's own plugins produce. */
export const shippedEventTypes: readonly EventType[] = createPluginRegistry().eventTypes();

/** A migrated, embedded ClickHouse in a temporary folder. */
export interface TestClickHouse {
  readonly service: ClickHouseService;
  /** With the gateway's own user and its rights. Without a password, the server answers as one of a user's does. */
  readonly endpoint: Endpoint;
  /** May do everything. Its database is the endpoint's. */
  readonly client: ClickHouseClient;
  readonly directory: string;
  /** Rows of a query, as objects. */
  rows<Row = Record<string, unknown>>(query: string): Promise<Row[]>;
  run(statement: string): Promise<void>;
  /** Kills the server with SIGKILL; it is started again on its data, at the same address. */
  kill(): void;
  /** Ends the server and removes the folder. */
  stop(): Promise<void>;
}

/** Starts one; takes about half a second. `config` overrides the defaults. */
export async function startTestClickHouse(
  config: Partial<ClickHouseOptions['config']> = {},
  users: readonly TestUser[] = [],
  eventTypes: readonly EventType[] = shippedEventTypes,
): Promise<TestClickHouse> {
  const directory = await mkdtemp(join(tmpdir(), 'gateway-clickhouse-'));
  await openToAll(join(directory, 'clickhouse'), users);
  const service = createClickHouseService({
    config: { ...clickHouseDefaults, ...config },
    dataDir: directory,
    eventTypes,
    logger: silentLogger,
  });
  service.start();
  try {
    await untilStatus(service, ({ state }) => state === 'ok');
  } catch (error) {
    await service.stop();
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
  const endpoint = service.endpoint.current as Endpoint;
  const client = createTestClient({ ...endpoint, username: 'default', password: '' });
  return {
    service,
    endpoint,
    client,
    directory,
    async rows<Row>(query: string): Promise<Row[]> {
      return (await client.query({ query, format: 'JSONEachRow' })).json<Row>();
    },
    async run(statement) {
      await client.command({ query: statement });
    },
    kill() {
      const own = childrenOf(process.pid).filter((pid) => commandOf(pid).includes(directory));
      for (const pid of own) process.kill(pid, 'SIGKILL');
    },
    async stop() {
      await client.close();
      await service.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A client of its own for an endpoint. */
export function createTestClient(endpoint: Endpoint): ClickHouseClient {
  return createClient({
    ...endpoint,
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 },
    log: { level: ClickHouseLogLevel.OFF },
  });
}

/** Waits for a status. @throws after `timeoutMs`, with the status that it has then */
export async function untilStatus(
  service: ClickHouseService,
  wanted: (status: ClickHouseStatus) => boolean,
  timeoutMs = 30_000,
): Promise<ClickHouseStatus> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const status = service.status();
    if (wanted(status)) return status;
    if (Date.now() > deadline) throw new Error(`ClickHouse is ${JSON.stringify(status)}.`);
    await sleep(10);
  }
}
