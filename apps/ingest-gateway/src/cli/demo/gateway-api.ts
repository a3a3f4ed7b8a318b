import type { PipelineStatus } from '@activity-gateway/pipeline/host';
import { GatewayError } from '@activity-gateway/pipeline/api';
import { sleep } from '@activity-gateway/pipeline/helpers';
import { readFile } from 'node:fs/promises';
import type { ClickHouseStatus } from '../../clickhouse/types.js';
import type { ListenerStatus } from '../../listener/types.js';

/** What of `GET /api/v1/nam-listener/status` the demo reads. */
export interface StatusView {
  readonly listener: Pick<ListenerStatus, 'state' | 'reason' | 'port'> & {
    readonly reactors: readonly Pick<ListenerStatus['reactors'][number], 'state'>[];
  };
  readonly pipelines: readonly Pick<PipelineStatus, 'counts'>[];
  readonly clickhouse: ClickHouseStatus;
}

const REQUEST_TIMEOUT_MS = 10_000;
const POLL_MS = 100;

/** The REST API of the demo's gateway. */
export class GatewayApi {
  constructor(
    private readonly url: string,
    private readonly keyFile: string,
  ) {}

  /**
   * Waits until agents can connect and events can be written.
   * @param timeoutMs milliseconds
   * @throws GatewayError `DEMO_GATEWAY_NOT_READY`, what it still waits for
   */
  async waitUntilReady(timeoutMs: number, signal: AbortSignal): Promise<StatusView> {
    const deadline = Date.now() + timeoutMs;
    let missing = 'its REST API does not answer';
    while (Date.now() < deadline && !signal.aborted) {
      const status = await this.#statusWhenReady();
      if (typeof status !== 'string') return status;
      missing = status;
      await sleep(POLL_MS, signal);
    }
    throw new GatewayError(
      'DEMO_GATEWAY_NOT_READY',
      `The gateway did not become ready: ${missing.trim()}.`,
      'gateway.log in the data directory says more.',
    );
  }

  /** Makes an enrollment token. */
  async enrollmentToken(): Promise<string> {
    const { token } = (await this.#request('POST', '/api/v1/nam-listener/enrollment-token')) as {
      token: string;
    };
    return token;
  }

  /** Listener and ClickHouse as they are now. */
  async status(): Promise<StatusView> {
    return (await this.#request('GET', '/api/v1/nam-listener/status')) as StatusView;
  }

  async #statusWhenReady(): Promise<StatusView | string> {
    try {
      const health = await fetch(`${this.url}/health/ready`, {
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      await health.arrayBuffer();
      if (!health.ok) return `/health/ready answers ${health.status}`;
      const status = await this.status();
      const { listener, clickhouse } = status;
      if (listener.state !== 'listening') return `the listener is ${listener.state} ${listener.reason ?? ''}`;
      if (clickhouse.state !== 'ok') return `ClickHouse is ${clickhouse.state} ${clickhouse.reason ?? ''}`;
      if (!listener.reactors.some(({ state }) => state === 'ready')) return 'no reactor is ready';
      return status;
    } catch (error) {
      return error instanceof GatewayError ? error.message : 'its REST API does not answer';
    }
  }

  async #request(method: string, path: string): Promise<unknown> {
    const key = (await readFile(this.keyFile, 'utf8')).trim();
    const response = await fetch(this.url + path, {
      method,
      headers: { authorization: `Bearer ${key}` },
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    const text = await response.text();
    if (response.ok) return JSON.parse(text);
    throw new GatewayError('DEMO_REQUEST_FAILED', `${method} ${path} answered ${response.status}: ${text}`);
  }
}

/** Events that the gateway has received since its start. */
export function receivedEvents({ pipelines }: StatusView): number {
  return pipelines.reduce((sum, { counts }) => sum + counts.received, 0);
}
