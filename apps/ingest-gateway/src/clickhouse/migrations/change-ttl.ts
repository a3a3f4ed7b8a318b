import { GatewayError } from '@activity-gateway/pipeline/api';
import { Backoff, sleep } from '@activity-gateway/pipeline/helpers';
import { describeError } from '../client.js';
import {
  qualified,
  readTableRetention,
  retentionChange,
  type RetentionOptions,
  type TableRetention,
} from './table-retention.js';

/** How often the end of a recalculation is looked for, ms. */
const POLL_MS = 500;
/** How long a replica may take to show a new definition, ms; the next look finds it then. */
const REPLICA_MS = 10_000;
/** Waits while ClickHouse does not answer, ms. */
const RETRY = { initialMs: 1_000, maxMs: 60_000 };

/**
 * The comment of a table whose deleting by TTL the gateway has stopped. A stop lasts until ClickHouse restarts; the comment
 * outlives both, so that the next start of a gateway protects the rows again and resumes. A stop of an operator has none.
 */
export const PAUSED_COMMENT = 'activity-ingest-gateway: deleting by TTL waits for a recalculation';

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
  const adds = table.configuredDays > 0;
  if (!adds || !(await hasExpiredParts(options, table.name))) return alter(options, table, clause);
  if (!(await stopDeleting(options, table, name))) return alter(options, table, clause);
  try {
    // A comment of the operator stays; a stop is then not remembered.
    if (table.comment === '') await setComment(options, table.name, PAUSED_COMMENT);
    await alter(options, table, clause);
  } catch (error) {
    await startDeleting(options, table.name, name).catch(() => undefined);
    throw error;
  }
  void resumeDeleting(options, table.name, name);
}

/**
 * Goes on with a recalculation that an earlier process began: keeps deleting stopped until it is done. Another gateway may
 * do so at the same time.
 * @throws what the client throws
 */
export async function continueRecalculation(options: RetentionOptions, table: string): Promise<void> {
  const name = qualified(options.database, table);
  await stop(options, name);
  options.logger.info({ table }, 'Deleting by TTL waits for the recalculation of the table');
  void resumeDeleting(options, table, name);
}

/** Ends the deletes of a table at once, whatever its parts remember. */
export function removeTtl(options: RetentionOptions, table: TableRetention): Promise<void> {
  return changeTtl(options, { ...table, configuredDays: 0 });
}

/**
 * Changes the TTL of the table. Its parts are brought in line in the background, which can take hours and nobody waits for;
 * without it they would go by the old TTL.
 */
async function alter(options: RetentionOptions, table: TableRetention, clause: string): Promise<void> {
  const { client, database, signal } = options;
  await client.command({
    query: `ALTER TABLE ${qualified(database, table.name)} ${clause}`,
    // With any other alter_sync ClickHouse answers when the parts are in line.
    clickhouse_settings: { alter_sync: '0', mutations_sync: '0', materialize_ttl_after_modify: 1 },
    abort_signal: signal,
  });
  // A replica takes the new definition a moment later.
  for (const deadline = Date.now() + REPLICA_MS; Date.now() < deadline; await sleep(POLL_MS, signal)) {
    const { tables } = await readTableRetention(options);
    const now = tables.find(({ name }) => name === table.name);
    if (now === undefined || now.currentDays === table.configuredDays) return;
  }
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
  options: RetentionOptions,
  { name: table, currentDays }: TableRetention,
  name: string,
): Promise<boolean> {
  try {
    await stop(options, name);
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
  let stopped = true;
  while (signal?.aborted !== true) {
    try {
      if (!stopped) await stop(options, name);
      stopped = true;
      if (await isRecalculated(options, table)) return await startDeleting(options, table, name);
      backoff.reset();
      await sleep(POLL_MS, signal);
    } catch (error) {
      // A restart of ClickHouse has forgotten the stop.
      stopped = false;
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
    'Deleting by TTL stays stopped until the next start of the gateway',
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

function stop({ client, signal }: RetentionOptions, name: string): Promise<unknown> {
  return client.command({ query: `SYSTEM STOP TTL MERGES ${name}`, abort_signal: signal });
}

async function startDeleting(options: RetentionOptions, table: string, name: string): Promise<void> {
  const { client, database } = options;
  await client.command({ query: `SYSTEM START TTL MERGES ${name}` });
  const result = await client.query({
    query: 'SELECT comment FROM system.tables WHERE database = {database:String} AND name = {table:String}',
    query_params: { database, table },
    format: 'JSONEachRow',
  });
  const [row] = await result.json<{ comment: string }>();
  if (row?.comment === PAUSED_COMMENT) await setComment(options, table, '');
}

/** A user of the gateway that may not do this costs the protection across restarts, not the change. */
async function setComment(options: RetentionOptions, table: string, comment: string): Promise<void> {
  const { client, database, logger } = options;
  try {
    await client.command({ query: `ALTER TABLE ${qualified(database, table)} MODIFY COMMENT '${comment}'` });
  } catch (error) {
    logger.warn(
      { table, reason: describeError(error) },
      'Failed to mark a table whose rows are recalculated',
    );
  }
}
