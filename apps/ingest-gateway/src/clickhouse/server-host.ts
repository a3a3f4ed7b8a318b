import { join } from 'node:path';
import { type Endpoint, GatewayError } from '@activity-gateway/pipeline/api';
import { removeAccessFile, writeAccessFile } from './access-file.js';
import { type EmbeddedServer, startEmbeddedServer } from './embedded-server.js';
import { readerOf } from './reader-password.js';
import type { ClickHouseOptions } from './types.js';

/** Where the server of the service comes from. */
export interface ServerHost {
  readonly mode: 'embedded' | 'external';
  /** Without credentials; empty until known. */
  readonly url: string;
  /** Makes sure that there is a server to talk to, and says where. @throws GatewayError with the reason */
  acquire(signal: AbortSignal): Promise<Endpoint>;
  /** Resolves when the server that was acquired last has ended; never for one that is not ours. */
  ended(): Promise<GatewayError>;
  release(): Promise<void>;
}

/** The host for a configuration: with a URL the user's server, without one the embedded one. */
export function createServerHost({
  config,
  dataDir,
}: Pick<ClickHouseOptions, 'config' | 'dataDir'>): ServerHost {
  return config.url === undefined ? new EmbeddedHost(config, dataDir) : new ExternalHost(config, config.url);
}

type Config = ClickHouseOptions['config'];

class EmbeddedHost implements ServerHost {
  readonly mode = 'embedded';
  #server: EmbeddedServer | undefined;
  /** The last one that ran: who knows its address finds the next one there. */
  #latest: EmbeddedServer | undefined;

  constructor(
    private readonly config: Config,
    private readonly dataDir: string,
  ) {}

  get url(): string {
    return this.#latest?.url ?? '';
  }

  async acquire(signal: AbortSignal): Promise<Endpoint> {
    const server = (this.#server ??= await this.#start(signal));
    return { url: server.url, database: this.config.database, ...server.user };
  }

  ended(): Promise<GatewayError> {
    return (
      this.#server?.exited ??
      Promise.resolve(new GatewayError('CLICKHOUSE_EMBEDDED_ENDED', 'The embedded ClickHouse ended.'))
    );
  }

  async release(): Promise<void> {
    await this.#server?.stop();
    this.#server = undefined;
    if (this.#latest !== undefined) await removeAccessFile(this.dataDir);
  }

  async #start(signal: AbortSignal): Promise<EmbeddedServer> {
    const server = await this.#startAtKnownPort(signal);
    this.#latest = server;
    try {
      await writeAccessFile(this.dataDir, server);
    } catch (error) {
      await server.stop();
      throw error;
    }
    void server.exited.then(() => {
      if (this.#server === server) this.#server = undefined;
    });
    return server;
  }

  async #startAtKnownPort(signal: AbortSignal): Promise<EmbeddedServer> {
    const { config } = this;
    const reader = await readerOf(config, this.dataDir);
    const options = { directory: join(this.dataDir, 'clickhouse'), database: config.database, reader };
    const port = config.httpPort === 0 ? (this.#latest?.port ?? 0) : config.httpPort;
    try {
      return await startEmbeddedServer({ ...options, port }, signal);
    } catch (error) {
      const taken = error instanceof GatewayError && error.code === 'CLICKHOUSE_PORT_IN_USE';
      if (!taken || config.httpPort !== 0) throw error;
      return startEmbeddedServer({ ...options, port: 0 }, signal);
    }
  }
}

class ExternalHost implements ServerHost {
  readonly mode = 'external';
  readonly url: string;
  readonly #endpoint: Endpoint;

  constructor(config: Config, text: string) {
    const url = new URL(text);
    this.#endpoint = {
      username: decodeURIComponent(url.username) || config.username,
      password: decodeURIComponent(url.password) || config.password,
      database: config.database,
      url: withoutCredentials(url),
    };
    this.url = this.#endpoint.url;
  }

  async acquire(): Promise<Endpoint> {
    return this.#endpoint;
  }

  ended(): Promise<GatewayError> {
    return new Promise(() => undefined);
  }

  async release(): Promise<void> {}
}

function withoutCredentials(url: URL): string {
  const copy = new URL(url);
  copy.username = '';
  copy.password = '';
  return copy.href.replace(/\/$/, '');
}
