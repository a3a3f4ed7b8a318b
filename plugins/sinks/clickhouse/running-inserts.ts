import { ClickHouseError } from '@clickhouse/client';
import type { Connection } from './clients.js';
import { askRows, type InsertRequest, runInsert } from './exchange.js';

/** QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING */
const ALREADY_RUNNING = '216';
/** How long an insert that is to end may take to do so, ms. */
const END_WITHIN_MS = 10_000;

/**
 * Query ids of the inserts under a token. They follow from the token, so that another process knows them too. There are two:
 * an insert that hangs does not keep its repetition waiting, and more than two of them never run at a time.
 */
const queryIds = (token: string): readonly string[] => [token, `${token}~2`];

/**
 * Runs an insert so that `endEarlierInserts` finds it.
 * @throws as `runInsert`; 216 while two inserts under the token are still running
 */
export async function runInsertUnder(
  token: string,
  connection: Connection,
  request: InsertRequest,
  signal: AbortSignal,
): Promise<void> {
  const [first, second] = queryIds(token);
  try {
    await runInsert(connection, { ...request, queryId: first }, signal);
  } catch (error) {
    if (!isAlreadyRunning(error)) throw error;
    await runInsert(connection, { ...request, queryId: second }, signal);
  }
}

/**
 * Cancels what still runs under a token, and resolves when nothing does: an attempt without an answer may otherwise store
 * rows after others have looked for them. A query under the same id replaces the insert, which needs no grant.
 *
 * Finds nothing on another server behind a balancer, or where a proxy gives queries ids of its own.
 * @throws as `askRows`; 216 when an insert takes longer than 10 s to end
 */
export async function endEarlierInserts(
  connection: Connection,
  token: string,
  signal: AbortSignal,
): Promise<void> {
  const settings = { replace_running_query: 1, replace_running_query_max_wait_ms: END_WITHIN_MS } as const;
  for (const queryId of queryIds(token)) {
    await askRows(connection, 'SELECT 1', signal, { queryId, settings });
  }
}

function isAlreadyRunning(error: unknown): boolean {
  return error instanceof ClickHouseError && error.code === ALREADY_RUNNING;
}
