import {
  type EncodedEntry,
  PermanentError,
  type RecoveryCause,
  type RejectedRow,
} from '@activity-gateway/pipeline/api';
import type { BodyLimit } from './body-limit.js';
import { classifyError } from './classify-error.js';
import type { Connection } from './clients.js';
import { insertBlocks, type Slice } from './insert.js';
import { Isolation } from './isolation.js';
import { type RowRange, rowRangeToken } from './row-ranges.js';
import { endEarlierInserts } from './running-inserts.js';
import { readRejected } from './rejected-rows.js';
import { rowsOf, sliceEntries } from './slice-entries.js';
import { accounted, lookUp, notStored, type StoredEntry } from './stored-rows.js';
import type { InsertColumn } from './table-fields.js';
import type { ViewWatch } from './views.js';

/** A table and what is known of it. */
export interface Target {
  readonly connection: Connection;
  readonly table: string;
  readonly columns: readonly InsertColumn[];
  /** Of its columns, as `TableState.structure`. */
  readonly structure: string;
  /** As the server writes it; empty without partitions. */
  readonly partitionKey: string;
  readonly views: ViewWatch;
  readonly limit: BodyLimit;
}

/** A batch as the host gives it. */
export interface FrozenBatch {
  readonly entries: readonly EncodedEntry[];
  readonly token: string;
}

/** A batch that a plain insert cannot store. */
export type RecoveredBatch = FrozenBatch & RecoveryCause;

/** Writes batches that a plain insert cannot: refused ones, and those that may be stored in part. */
export class BatchRecovery {
  /** By token; each goes on where it has failed. */
  readonly #isolations = new Map<string, Isolation>();

  /** Whether rows of the batch go in under tokens of their own: it is not inserted as a whole any more. */
  isIsolating(token: string): boolean {
    return this.#isolations.has(token);
  }

  /**
   * Inserts range by range, each under a token of its own, and reads the rows that are left to blame.
   * @throws SinkError that is no PartialWriteError
   */
  async isolate(target: Target, batch: RecoveredBatch, signal: AbortSignal): Promise<RejectedRow[]> {
    const { token, entries } = batch;
    const isolation = this.#isolations.get(token) ?? (await this.#begin(target, batch, signal));
    if (isolation === undefined) return [];
    this.#isolations.set(token, isolation);
    if (batch.uncertain) isolation.leaveOutStored();
    const { connection, columns } = target;
    await isolation.run({
      insert: (rowRange, filtered) => insertPiece(target, batch, rowRange, filtered, signal),
      endEarlierInserts: (rowRange) => endEarlierInserts(connection, rowRangeToken(token, rowRange), signal),
    });
    const rejected = await readRejected(connection, columns, entries, isolation.refused, signal);
    this.#isolations.delete(token);
    return rejected;
  }

  /** Stores what is missing of a batch that may be stored. @throws what the insert throws */
  async complete(
    target: Target,
    { entries, token }: FrozenBatch,
    found: readonly StoredEntry[],
    signal: AbortSignal,
  ): Promise<void> {
    if (isWhole(entries, found)) return;
    const missing = entries.filter((entry, index) => accountedAt(found, index) < entry.rows);
    const untouched = missing.length === entries.length && found.every((each) => accounted(each) === 0);
    await insertBlocks(
      target.connection,
      {
        ...target,
        entries: untouched ? entries : missing,
        // The token of the whole: where an attempt is still under way, ClickHouse takes each partition once.
        token,
        ...(!untouched && { slice: missingOf(target, missing) }),
      },
      signal,
    );
  }

  /** Whether nothing is stored has to be known before rows go in under other tokens; `undefined` = all of it is. */
  async #begin(target: Target, batch: RecoveredBatch, signal: AbortSignal): Promise<Isolation | undefined> {
    const { entries, refusal, uncertain } = batch;
    if (refusal === undefined) return undefined;
    if (target.columns.length === 0) {
      const message = `The rows of ${target.table} are of no type that this pipeline knows, so that none can be left out.`;
      throw new PermanentError(message, refusal.code, { cause: refusal });
    }
    if (uncertain) await endEarlierInserts(target.connection, batch.token, signal);
    if (entries.some(({ id }) => id === undefined)) return new Isolation(entries, refusal, false);
    const found = await lookUp(target.connection, target.table, entries, signal);
    if (isWhole(entries, found)) return undefined;
    const some = found.some((each) => each.rows > 0);
    return new Isolation(entries, refusal, uncertain || some);
  }
}

async function insertPiece(
  target: Target,
  { entries, token }: FrozenBatch,
  rowRange: RowRange,
  filtered: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { connection, table, partitionKey } = target;
  const { part, parts, from, to } = rowRange;
  const slice = sliceEntries(entries, from, to);
  const conditions = [
    ...(parts > 1 ? [`modulo(cityHash64(${partitionKey}), ${parts}) = ${part}`] : []),
    ...(filtered ? [notStored(connection, table, target.columns, slice.entries)] : []),
  ];
  const where = conditions.length === 0 ? undefined : conditions.join(' AND ');
  try {
    await insertBlocks(
      connection,
      {
        ...target,
        entries: slice.entries,
        token: rowRangeToken(token, rowRange),
        slice: { offset: slice.offset, rows: to - from, where },
      },
      signal,
    );
  } catch (error) {
    throw classifyError(error, {
      table,
      rows: to - from,
      entries: slice.entries.length,
      aborted: signal.aborted,
    });
  }
}

function missingOf({ connection, table, columns }: Target, entries: readonly EncodedEntry[]): Slice {
  return {
    offset: 0,
    rows: rowsOf(entries),
    where: notStored(connection, table, columns, entries),
  };
}

/** Whether all rows of all entries are accounted for. */
export function isWhole(entries: readonly EncodedEntry[], found: readonly StoredEntry[]): boolean {
  return entries.every(({ rows }, index) => accountedAt(found, index) >= rows);
}

function accountedAt(found: readonly StoredEntry[], index: number): number {
  const each = found[index];
  return each === undefined ? 0 : accounted(each);
}
