import type { ClickHouseClient } from '@clickhouse/client';
import { type Endpoint, GatewayError } from '@activity-gateway/pipeline/api';
import { Backoff, createLiveValue, sleep } from '@activity-gateway/pipeline/helpers';
import { ActivityQueries } from './activity-queries.js';
import { AskedDeadLetters } from './asked-dead-letters.js';
import { createControlClient, describeError } from './client.js';
import { DeadLetterQueries } from './dead-letter-queries.js';
import { identify, KnownServers, needsMigration } from './known-servers.js';
import { migrate, migrations } from './migrations/index.js';
import { RetentionKeeper } from './retention-keeper.js';
import { createServerHost, type ServerHost } from './server-host.js';
import type {
  ActivityEvent,
  ActivityQuery,
  ActivitySummary,
  ClickHouseOptions,
  ClickHouseService,
  ClickHouseStatus,
  WaitingRetention,
} from './types.js';

/** How often a server that works is asked whether it still does, ms. */
const PROBE_INTERVAL_MS = 5_000;
const BACKOFF = { initialMs: 200, maxMs: 30_000 } as const;
/** What only a person can change: access denied, database access, unknown user, wrong password. */
const CONFIGURATION_CODES = new Set(['192', '193', '194', '291', '497', '516']);

/** Unknown table, unknown database: something took away what was migrated. */
const GONE_CODES = new Set(['60', '81']);

/** Makes the ClickHouse of the control plane; no I/O before `start`. */
export function createClickHouseService(options: ClickHouseOptions): ClickHouseService {
  return new Service(options, createServerHost(options));
}

class Service implements ClickHouseService {
  readonly endpoint = createLiveValue<Endpoint | undefined>(undefined);
  readonly deadLetters = new AskedDeadLetters((question) =>
    this.#ask((client, database) => question(new DeadLetterQueries(client, database))),
  );
  readonly #abort = new AbortController();
  readonly #backoff = new Backoff(BACKOFF);
  #running: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #client: ClickHouseClient | undefined;
  #clientEndpoint: Endpoint | undefined;
  #status: Omit<ClickHouseStatus, 'mode' | 'url'> = { state: 'starting' };
  #wasOk = false;
  readonly #retention: RetentionKeeper;
  readonly #servers = new KnownServers();
  /** Aborted by who has a reason to look before the next probe is due. */
  #doubt = new AbortController();
  /** The server lacked something, or is another one: when it is migrated, sinks are told its address and try again at once. */
  #again = false;

  constructor(
    private readonly options: ClickHouseOptions,
    private readonly host: ServerHost,
  ) {
    this.#retention = new RetentionKeeper({ ...options, signal: this.#abort.signal });
  }

  start(): void {
    if (this.#abort.signal.aborted) return;
    this.#running ??= this.#run();
  }

  status(): ClickHouseStatus {
    const status = { mode: this.host.mode, url: this.host.url, ...this.#status };
    const { waiting, reason } = this.#retention;
    if (status.state !== 'ok' || reason === undefined) return status;
    return { ...status, state: 'degraded', reason, retention: waiting };
  }

  events(query: ActivityQuery): Promise<ActivityEvent[]> {
    return this.#ask((client, database) => this.#queries(client, database).events(query));
  }

  summary(): Promise<ActivitySummary> {
    return this.#ask((client, database) => this.#queries(client, database).summary());
  }

  #queries(client: ClickHouseClient, database: string): ActivityQueries {
    return new ActivityQueries(client, database, this.options.eventTypes);
  }

  waitingRetention(): Promise<readonly WaitingRetention[]> {
    return this.#ask((client) => this.#retention.count(client));
  }

  applyRetention(made?: (change: WaitingRetention) => void): Promise<readonly WaitingRetention[]> {
    return this.#ask((client) => this.#retention.confirm(client, made));
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
    // Idle connections would keep the embedded server from ending at once.
    await this.#client?.close();
    await this.host.release();
    this.#status = { state: 'stopped' };
  }

  /** Connect, watch until it is lost, wait, again: until the service is stopped. Never rejects. */
  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        await this.#connect();
        this.#backoff.reset();
        throw await this.#lost();
      } catch (error) {
        if (signal.aborted) return;
        await sleep(needsMigration(error) ? this.#migrateAgain(error) : this.#failed(error), signal);
      }
    }
  }

  async #connect(): Promise<void> {
    const { config, eventTypes, logger } = this.options;
    const { signal } = this.#abort;
    const endpoint = await this.host.acquire(signal);
    const client = await this.#clientFor(endpoint);
    const { database, retentionDays, deadLetterRetentionDays } = config;
    const schemaVersion = await migrate({
      client,
      logger,
      migrations,
      database,
      eventTypes,
      retentionDays,
      deadLetterRetentionDays,
      signal,
      onRetention: (waiting) => this.#retention.learn(waiting),
    });
    const server = await identify(client, database, signal);
    const { version } = server;
    if (this.#servers.add(server)) this.#again = true;
    this.#status = { state: 'ok', version, schemaVersion };
    this.#wasOk = true;
    if (this.#again || !sameEndpoint(this.endpoint.current, endpoint)) this.endpoint.set({ ...endpoint });
    this.#again = false;
    logger.info({ url: this.host.url, version, schemaVersion, mode: this.host.mode }, 'ClickHouse is ready');
  }

  /** Resolves with the reason once the server that works does not any more, or the service is stopped. */
  async #lost(): Promise<unknown> {
    const { signal } = this.#abort;
    const ended = new AbortController();
    let reason: unknown;
    void this.host.ended().then((error) => {
      // Its port is anybody's now, and the next server has another password: nothing is sent until that one is there.
      if (!signal.aborted) this.endpoint.set(undefined);
      reason = error;
      ended.abort();
    });
    const wake = AbortSignal.any([signal, ended.signal]);
    while (reason === undefined && !wake.aborted) {
      await sleep(PROBE_INTERVAL_MS, AbortSignal.any([wake, this.#doubt.signal]));
      if (this.#doubt.signal.aborted) this.#doubt = new AbortController();
      if (wake.aborted || this.#client === undefined) break;
      await this.#probe(this.#client).catch((error: unknown) => (reason ??= error));
    }
    return reason;
  }

  async #probe(client: ClickHouseClient): Promise<void> {
    const missing = await this.#retention.watch(client);
    this.#servers.check(await identify(client, this.options.config.database, this.#abort.signal), missing);
  }

  /** Notes that the server lacks what was migrated; returns how long to wait before it is migrated again, ms. */
  #migrateAgain(error: GatewayError): number {
    const waitMs = this.#servers.nextWait();
    this.#again = true;
    this.#status = { ...this.#status, state: 'degraded', reason: sentence(error) };
    this.options.logger.warn(
      { url: this.host.url, reason: error.message, retryInMs: waitMs },
      'ClickHouse lacks what was migrated; migrating again',
    );
    return waitMs;
  }

  /** Notes a failure; returns how long to wait before the next attempt, ms. */
  #failed(error: unknown): number {
    const reason = error instanceof GatewayError ? sentence(error) : describeError(error);
    const { state } = this.#status;
    this.#status = { ...this.#status, state: this.#wasOk ? 'degraded' : 'failed', reason };
    const configuration = CONFIGURATION_CODES.has(errorCode(error));
    if (configuration) this.#status = { ...this.#status, state: 'failed' };
    const waitMs = configuration ? BACKOFF.maxMs : this.#backoff.next();
    const { logger } = this.options;
    const fields = { reason, waitMs, attempts: this.#backoff.attempts };
    if (state === this.#status.state) logger.debug(fields, 'ClickHouse is still not available');
    else logger.warn(fields, 'ClickHouse not available; retrying');
    return waitMs;
  }

  async #clientFor(endpoint: Endpoint): Promise<ClickHouseClient> {
    if (this.#client === undefined || !sameEndpoint(this.#clientEndpoint, endpoint)) {
      await this.#client?.close();
      this.#client = createControlClient(endpoint);
      this.#clientEndpoint = endpoint;
    }
    return this.#client;
  }

  async #ask<T>(question: (client: ClickHouseClient, database: string) => Promise<T>): Promise<T> {
    const unavailable = (reason: string, cause?: unknown): GatewayError =>
      new GatewayError(
        'CLICKHOUSE_UNAVAILABLE',
        `ClickHouse cannot be asked now: ${reason}`,
        'See the state of ClickHouse in /health/ready, and try again.',
        { cause },
      );
    const { state, reason } = this.#status;
    if (this.#client === undefined || !this.#wasOk || state === 'stopped') {
      throw unavailable(reason ?? `it is ${state}.`);
    }
    try {
      return await question(this.#client, this.options.config.database);
    } catch (error) {
      if (error instanceof GatewayError) throw error;
      if (isDoubtful(errorCode(error))) this.#doubt.abort();
      throw unavailable(describeError(error), error);
    }
  }
}

function sameEndpoint(a: Endpoint | undefined, b: Endpoint): boolean {
  return (
    a?.url === b.url && a.database === b.database && a.username === b.username && a.password === b.password
  );
}

/** Whether a failed question is a reason to look at the server: it lacks something, or nothing of it has answered. */
function isDoubtful(code: string): boolean {
  return GONE_CODES.has(code) || !/^\d+$/.test(code);
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function sentence(error: GatewayError): string {
  return error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
}
