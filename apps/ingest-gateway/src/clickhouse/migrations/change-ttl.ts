import { GatewayError } from '@activity-gateway/pipeline/api';
import { Backoff, sleep } from '@activity-gateway/pipeline/helpers';
import { describeError } from '../client.js';
import { qualified, retentionChange, type RetentionOptions, type TableRetention } from './table-retention.js';

/** How often the end of a recalculation is looked for, ms. */
const POLL_MS = 500;
/** Waits while ClickHouse does not answer, ms. */
const RETRY = { initialMs: 1_000, maxMs: 60_000 };

/**
 * Gives a table its configured retention; rows that expire by it are deleted in the background.
 *
 * A part remembers when its rows expire, and ClickHouse deletes a part by that memory before it recalculates it for a new
 * TTL. So where parts remember times that are past, of a TTL that was removed, was shorter or has wrapped, deleting is
 * stopped until the recalculation is done.
 * @throws what the client throws; GatewayError `RETENTION_UNSAFE` when deleting cannot be stopped
 */
export async function changeTtl(options: RetentionOptions, table: TableRetention): Promise<void> {
  const name = qualified(options.database, table.name);
  const clause = retentionChange(table.engine, table.column, table.configuredDays);
  if (clause === undefined) return;
  const change = `ALTER TABLE ${name} ${clause}`;
  const adds = table.configuredDays > 0;
  if (!adds || !(await hasExpiredParts(options, table.name))) return alter(options, change);
  if (!(await stopDeleting(options, table, name))) return alter(options, change);
  try {
    await alter(options, change);
  } catch (error) {
    await startDeleting(options, name).catch(() => undefined);
    throw error;
  }
  void resumeDeleting(options, table.name, name);
}

/** Ends the deletes of a table at once, whatever its parts remember. */
export function removeTtl(options: RetentionOptions, table: TableRetention): Promise<void> {
  return changeTtl(options, { ...table, configuredDays: 0 });
}

async function alter({ client, signal }: RetentionOptions, query: string): Promise<void> {
  await client.command({
    query,
    // The old parts are brought in line in the background; nobody waits for it. Without it they would go by the old TTL.
    clickhouse_settings: { alter_sync: '1', mutations_sync: '0', materialize_ttl_after_modify: 1 },
    abort_signal: signal,
  });
}

/** Whether parts with rows remember an end that is past, or is within a day. */
async function hasExpiredParts(
  { client, database, signal }: RetentionOptions,
  table: string,
): Promise<boolean> {
  const result = await client.query({
    query: `SELECT 1 FROM system.parts WHERE database = {database:String} AND table = {table:String} AND active AND rows > 0
      AND delete_ttl_info_max > toDateTime(0) AND delete_ttl_info_max < now() + toIntervalDay(1) LIMIT 1`,
    query_params: { database, table },
    format: 'JSONEachRow',
    abort_signal: signal,
  });
  return (await result.json()).length > 0;
}

/** @returns whether it is stopped; rows that the TTL in force deletes anyway need no protection */
async function stopDeleting(
  { client, signal }: RetentionOptions,
  { name: table, currentDays }: TableRetention,
  name: string,
): Promise<boolean> {
  try {
    await client.command({ query: `SYSTEM STOP TTL MERGES ${name}`, abort_signal: signal });
    return true;
  } catch (error) {
    if (currentDays !== undefined && currentDays > 0) return false;
    throw new GatewayError(
      'RETENTION_UNSAFE',
      `The retention of ${table} cannot be changed safely: ClickHouse would delete rows by an earlier TTL (${describeError(error)}).`,
      'Grant the user of the gateway SYSTEM TTL MERGES on the database.',
      { cause: error },
    );
  }
}

/** Lets ClickHouse delete again once the parts are recalculated; tries again while it cannot be asked. Does not reject. */
async function resumeDeleting(options: RetentionOptions, table: string, name: string): Promise<void> {
  const { logger, signal } = options;
  const backoff = new Backoff(RETRY);
  while (signal?.aborted !== true) {
    try {
      if (await isRecalculated(options, table)) return await startDeleting(options, name);
      backoff.reset();
      await sleep(POLL_MS, signal);
    } catch (error) {
      const retryInMs = backoff.next();
      logger.warn(
        { table, reason: describeError(error), retryInMs },
        'Failed to resume deleting by TTL; retrying',
      );
      await sleep(retryInMs, signal);
    }
  }
  logger.warn(
    { table, reason: 'the gateway stops' },
    'Deleting by TTL stays stopped until ClickHouse restarts or SYSTEM START TTL MERGES is run',
  );
}

async function isRecalculated({ client, database }: RetentionOptions, table: string): Promise<boolean> {
  const result = await client.query({
    query:
      "SELECT 1 FROM system.mutations WHERE database = {database:String} AND table = {table:String} AND NOT is_done AND command LIKE '%MATERIALIZE TTL%' LIMIT 1",
    query_params: { database, table },
    format: 'JSONEachRow',
  });
  return (await result.json()).length === 0;
}

async function startDeleting({ client }: RetentionOptions, name: string): Promise<void> {
  await client.command({ query: `SYSTEM START TTL MERGES ${name}` });
}
