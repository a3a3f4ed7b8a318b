import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { Endpoint } from '@activity-gateway/pipeline/api';
import { checkAnswers } from './checked-client.js';

/** Longest wait for one request of the control plane, ms. */
const REQUEST_TIMEOUT_MS = 30_000;

/**
 * A client for the control plane. It has no default database: the gateway's may not exist yet. What is not an answer of
 * ClickHouse is an error.
 */
export function createControlClient(endpoint: Endpoint): ClickHouseClient {
  const client = createClient({
    url: endpoint.url,
    username: endpoint.username,
    password: endpoint.password,
    application: 'activity-ingest-gateway',
    request_timeout: REQUEST_TIMEOUT_MS,
    max_open_connections: 8,
    // Errors come back as errors; the client would write them to the console as well.
    log: { level: ClickHouseLogLevel.OFF },
  });
  return checkAnswers(client);
}

/** One sentence about why ClickHouse could not be asked, without stack and without credentials. */
export function describeError(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return describeError(error.errors[0]);
  return error instanceof Error && error.message !== '' ? error.message.slice(0, 500) : String(error);
}
