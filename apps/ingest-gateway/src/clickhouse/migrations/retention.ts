import { GatewayError } from '@activity-gateway/pipeline/api';
import type { WaitingRetention } from '../types.js';
import { changeTtl, continueRecalculation, PAUSED_COMMENT, removeTtl } from './change-ttl.js';
import {
  countExpiring,
  isLonger,
  readTableRetention,
  type RetentionOptions,
  type TableRetention,
  wraps,
} from './table-retention.js';

export { retentionChange } from './table-retention.js';

/**
 * When a change that makes the retention of a table shorter is made. `start`: when it deletes no row. `watch`: never, since
 * another gateway with a longer retention may have changed it. `confirmed`: always.
 */
export type RetentionMode = 'start' | 'watch' | 'confirmed';

/** Counts the rows that would go; `null` when it cannot be told. */
export type CountRows = (table: TableRetention) => Promise<number | null>;

/** What `applyRetention` found and did. */
export interface RetentionOutcome {
  /** Changes that wait for a confirmation. */
  readonly waiting: readonly WaitingRetention[];
  /** Changes that were made. */
  readonly made: readonly WaitingRetention[];
  /** Tables that are not there. */
  readonly missing: readonly string[];
}

/**
 * Gives every table the configured retention, where it has another one. A longer one is made at once; a shorter one by
 * `mode`. A TTL that wraps is removed whatever comes next, and one that the gateway did not make is left to a confirmation.
 */
export async function applyRetention(
  options: RetentionOptions,
  mode: RetentionMode = 'start',
  count: CountRows = (table) => countExpiring(options, table).catch(() => null),
  onMade: (change: WaitingRetention) => void = () => undefined,
): Promise<RetentionOutcome> {
  const { tables, missing } = await readTableRetention(options);
  const waiting: WaitingRetention[] = [];
  const made: WaitingRetention[] = [];
  for (const found of tables) {
    if (mode === 'start' && found.comment === PAUSED_COMMENT)
      await continueRecalculation(options, found.name);
    const table = wraps(found) ? await repaired(options, found) : found;
    if (table.currentDays === table.configuredDays) continue;
    const rows = isLonger(table) ? 0 : await count(table);
    const change = {
      table: table.name,
      currentDays: table.currentDays ?? null,
      configuredDays: table.configuredDays,
      rows,
    };
    const done = isAllowed(table, mode, rows) && (await isChanged(options, table, mode));
    (done ? made : waiting).push(change);
    if (!done) continue;
    onMade(change);
    options.logger.info({ ...change }, 'ClickHouse retention changed');
  }
  return { waiting, made, missing };
}

function isAllowed(table: TableRetention, mode: RetentionMode, rows: number | null): boolean {
  if (mode === 'confirmed' || isLonger(table)) return true;
  return mode === 'start' && table.currentDays !== undefined && rows === 0;
}

/** Changes the retention; a start goes on where that is not safe. @throws what `changeTtl` throws */
async function isChanged(
  options: RetentionOptions,
  table: TableRetention,
  mode: RetentionMode,
): Promise<boolean> {
  try {
    await changeTtl(options, table);
    return true;
  } catch (error) {
    if (mode === 'confirmed' || !(error instanceof GatewayError)) throw error;
    options.logger.warn({ table: table.name, err: error }, 'Failed to change the retention safely');
    return false;
  }
}

/** Takes a TTL away that an earlier version made too long, so that it lies in the past. */
async function repaired(options: RetentionOptions, table: TableRetention): Promise<TableRetention> {
  await removeTtl(options, table);
  options.logger.warn(
    { table: table.name, retentionDays: table.currentDays },
    'Removed a TTL that was too long and deleted rows at once',
  );
  return { ...table, currentDays: 0 };
}
