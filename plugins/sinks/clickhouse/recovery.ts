import {
  type EncodedEntry,
  type PartialWriteError,
  PermanentError,
  type StoredEntry,
  type WriteReport,
} from '@activity-gateway/pipeline/api';
import type { BodyLimit } from './body-limit.js';
import { classifyError } from './classify-error.js';
import type { Connection } from './clients.js';
import { insertBlocks, type Slice } from './insert.js';
import { Isolation } from './isolation.js';
import { type RowRange, rowRangeToken } from './row-ranges.js';
import { storeLetters } from './refused-rows.js';
import { rowsOf, sliceEntries } from './slice-entries.js';
import { accounted, lookUp, notStored, sumCodes } from './stored-rows.js';
import type { InsertColumn } from './table-fields.js';
import type { ViewWatch } from './views.js';

/** A table and what is known of it. */
export interface Target {
  readonly connection: Connection;
  readonly table: string;
  /** `EventType.type` of its rows; empty for a table that the pipeline does not know. */
  readonly type: string;
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

/** A batch that was refused. */
export interface RefusedBatch extends FrozenBatch {
  readonly refusal: PartialWriteError;
  /** Whether rows of it may be stored from an attempt whose outcome nobody knows. */
  readonly uncertain: boolean;
}

const NOTHING_REFUSED: WriteReport = { deadLettered: new Map() };

/** Writes batches that a plain insert cannot: refused ones, and those that may be stored in part. */
export class Recovery {
  /** By token; each goes on where it has failed. */
  readonly #isolations = new Map<string, Isolation>();

  /** @param pipeline whose dead letters they are */
  constructor(private readonly pipeline: string) {}

  /**
   * Inserts piece by piece, each under a token of its own, and puts the rows that are left to blame into the dead letters:
   * last and all at once, so that dead letters of a batch tell that the rest of it is stored.
   * @throws SinkError that is no PartialWriteError
   */
  async isolate(target: Target, batch: RefusedBatch, signal: AbortSignal): Promise<WriteReport> {
    const { token, entries } = batch;
    const isolation = this.#isolations.get(token) ?? (await this.#begin(target, batch, signal));
    if (isolation === undefined) return this.#found(target, entries, signal);
    this.#isolations.set(token, isolation);
    if (batch.uncertain) isolation.leaveOutStored();
    await isolation.run((rowRange, filtered) => insertPiece(target, batch, rowRange, filtered, signal));
    const { refused } = isolation;
    const { table, type, columns, views, limit } = target;
    const context = { pipeline: this.pipeline, table, type, columns, views, limit };
    await this.#letters(target, () =>
      storeLetters(target.connection, context, entries, refused, token, signal),
    );
    this.#isolations.delete(token);
    const deadLettered = new Map<string, number>();
    for (const { code } of refused.values()) deadLettered.set(code, (deadLettered.get(code) ?? 0) + 1);
    return { deadLettered };
  }

  /** Stores what is missing of a batch that may be stored. @throws what the insert throws */
  async complete(target: Target, { entries, token }: FrozenBatch, signal: AbortSignal): Promise<WriteReport> {
    const found = await lookUp(target.connection, target.table, entries, signal);
    if (isWhole(entries, found)) return { deadLettered: sumCodes(found) };
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
    return NOTHING_REFUSED;
  }

  /** Whether nothing is stored has to be known before rows go in under other tokens; `undefined` = all of it is. */
  async #begin(target: Target, batch: RefusedBatch, signal: AbortSignal): Promise<Isolation | undefined> {
    const { entries, refusal, uncertain } = batch;
    if (target.columns.length === 0) {
      const message = `The rows of ${target.table} are of no type that this pipeline knows, so that none can be left out.`;
      throw new PermanentError(message, refusal.code, { cause: refusal });
    }
    if (entries.some(({ id }) => id === undefined)) return new Isolation(entries, refusal, false);
    const found = await lookUp(target.connection, target.table, entries, signal);
    if (isWhole(entries, found)) return undefined;
    const some = found.some((each) => each.rows > 0);
    return new Isolation(entries, refusal, uncertain || some);
  }

  async #found(target: Target, entries: readonly EncodedEntry[], signal: AbortSignal): Promise<WriteReport> {
    return { deadLettered: sumCodes(await lookUp(target.connection, target.table, entries, signal)) };
  }

  /** Dead letters that are refused themselves wait for a person: there is nothing to put them into. */
  async #letters({ table }: Target, store: () => Promise<void>): Promise<void> {
    try {
      await store();
    } catch (error) {
      const failure = classifyError(error, { table: 'dead_letters', rows: 0, entries: 0, aborted: false });
      if (failure.name !== 'PartialWriteError') throw failure;
      const message = `ClickHouse refuses the dead letters of ${table} (${failure.code}); they wait.`;
      throw new PermanentError(message, failure.code, { cause: error });
    }
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
