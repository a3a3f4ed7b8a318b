import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { type Endpoint, type LiveValue, RetryableError } from '@activity-gateway/pipeline/api';
import { type ClickHouseSinkConfig, durationMs } from './config.js';

/** Below the shortest keep-alive of a ClickHouse (3 s), so that no request meets a closing connection; ms. */
const IDLE_SOCKET_MS = 2_000;
/** The host bounds how many writes run at a time; this only has to be more. */
const MAX_CONNECTIONS = 64;

/** A client and where it leads. */
export interface Connection {
  readonly client: ClickHouseClient;
  readonly endpoint: Endpoint;
  /** Longest wait for one answer, ms. */
  readonly timeoutMs: number;
}

/** The client of a named endpoint, which may come late and may change. */
export class Clients {
  #connection: Connection | undefined;
  #stopped = false;

  constructor(
    private readonly config: ClickHouseSinkConfig,
    private readonly endpoints: LiveValue<ReadonlyMap<string, Endpoint>>,
  ) {}

  /** @throws RetryableError `NO_ENDPOINT` while nobody knows where it is, `STOPPED` after `close` */
  current(): Connection {
    if (this.#stopped) throw new RetryableError('The sink is stopped.', 'STOPPED');
    const endpoint = this.endpoints.current.get(this.config.endpoint);
    if (endpoint === undefined) {
      throw new RetryableError(`The address of "${this.config.endpoint}" is not known yet.`, 'NO_ENDPOINT');
    }
    if (this.#connection !== undefined && sameEndpoint(this.#connection.endpoint, endpoint)) {
      return this.#connection;
    }
    // The server of the former endpoint has ended: what still waits for its answer fails, and is tried again.
    void this.#connection?.client.close();
    const timeoutMs = durationMs(this.config.request_timeout);
    this.#connection = { client: this.#create(endpoint, timeoutMs), endpoint, timeoutMs };
    return this.#connection;
  }

  /** Ends all connections; writes that still run fail. Safe twice. */
  async close(): Promise<void> {
    this.#stopped = true;
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.client.close();
  }

  #create(endpoint: Endpoint, timeoutMs: number): ClickHouseClient {
    return createClient({
      url: endpoint.url,
      username: endpoint.username,
      password: endpoint.password,
      database: endpoint.database,
      application: 'activity-ingest-gateway',
      request_timeout: timeoutMs,
      max_open_connections: MAX_CONNECTIONS,
      compression: { request: this.config.compression, response: false },
      keep_alive: { enabled: true, idle_socket_ttl: IDLE_SOCKET_MS, eagerly_destroy_stale_sockets: true },
      // Errors come back as errors; the client would write them to the console as well.
      log: { level: ClickHouseLogLevel.OFF },
    });
  }
}

function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return (
    a.url === b.url && a.database === b.database && a.username === b.username && a.password === b.password
  );
}
