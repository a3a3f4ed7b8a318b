import {
  type EncodedEntry,
  PartialWriteError,
  RetryableError,
  type SinkError,
} from '@activity-gateway/pipeline/api';
import { BODY_TOO_LARGE } from './classify-error.js';
import { classOf } from './error-codes.js';
import { afterRejection, type RowRange, splitPartitions, splitRows, wholeBatch } from './row-ranges.js';
import { readRefusal, type Refusal } from './refusal.js';
import type { RefusedRows } from './rejected-rows.js';

/** What isolation does with a piece. */
export interface PieceActions {
  /** @throws SinkError */
  readonly insert: (rowRange: RowRange, filtered: boolean) => Promise<void>;
  /** Ends what still runs of earlier attempts. @throws SinkError that is no PartialWriteError */
  readonly endEarlierInserts: (rowRange: RowRange) => Promise<void>;
}

/** MEMORY_LIMIT_EXCEEDED */
export const MEMORY_LIMIT = 241;
/** Attempts after which an insert is taken to be too large for the server's memory. */
export const MEMORY_ATTEMPTS = 3;

/**
 * The way from a refused batch to stored rows and refused ones: pieces are stored or divided until what is left to
 * blame is single rows. It keeps where it is, so that a failure on the way repeats one piece and not all of them.
 */
export class Isolation {
  readonly #refused = new Map<number, Refusal>();
  /** Pieces to be inserted, the next one last. */
  readonly #pending: RowRange[];
  /** Rows behind the last one of each entry. */
  readonly #ends: readonly number[];
  #memoryFailures = 0;
  /** Whether an attempt at the next piece has failed without saying what is stored of it. */
  #unsure = false;

  /**
   * @param entries  of the batch
   * @param filtered whether rows may be stored already, so that each insert has to leave those out
   */
  constructor(
    entries: readonly Pick<EncodedEntry, 'rows'>[],
    refusal: PartialWriteError,
    private filtered: boolean,
  ) {
    // What ran out of memory may have stored a partition before.
    if (codeOf(refusal) === MEMORY_LIMIT) this.filtered = true;
    let rows = 0;
    this.#ends = entries.map((entry) => (rows += entry.rows));
    this.#pending = [wholeBatch(rows)];
    this.#divide(refusal);
  }

  /** Rows that are to blame, as far as they are known. */
  get refused(): RefusedRows {
    return this.#refused;
  }

  /** From now on, each insert leaves out what is stored: tokens of the ones before may be forgotten. */
  leaveOutStored(): void {
    this.filtered = true;
  }

  /** Inserts what can be stored. @throws SinkError that is no PartialWriteError; another call goes on from there */
  async run({ insert, endEarlierInserts }: PieceActions): Promise<void> {
    for (let rowRange = this.#pending.at(-1); rowRange !== undefined; rowRange = this.#pending.at(-1)) {
      try {
        await insert(rowRange, this.filtered);
        this.#pending.pop();
        this.#memoryFailures = 0;
        this.#unsure = false;
      } catch (error) {
        const refusal = this.#tooLarge(error, rowRange) ?? error;
        if (!(refusal instanceof PartialWriteError)) {
          this.#unsure = true;
          throw error;
        }
        if (this.#unsure) await endEarlierInserts(rowRange);
        if (!this.#mayBeStored(rowRange)) this.#divide(refusal);
      }
    }
  }

  /** Whether a refused row may be stored all the same, by an attempt without an answer: the next insert leaves it out then. */
  #mayBeStored({ from, to }: RowRange): boolean {
    const unknown = this.#unsure && !this.filtered;
    if (this.#unsure) this.filtered = true;
    this.#unsure = false;
    return unknown && to - from === 1;
  }

  /** Puts what the last piece falls into in its place. */
  #divide(refusal: PartialWriteError): void {
    const rowRange = this.#pending.pop();
    if (rowRange === undefined) return;
    if (refusal.code === BODY_TOO_LARGE || codeOf(refusal) === MEMORY_LIMIT) {
      this.#pending.push(...splitRows(rowRange, this.#ends).reverse());
      return;
    }
    if (isForPartitions(refusal)) {
      this.#pending.push(...splitPartitions(rowRange).reverse());
      return;
    }
    const { refused, rowRanges } = afterRejection(
      rowRange,
      refusal,
      this.#refused.size,
      this.filtered,
      this.#ends,
    );
    if (refused !== undefined) this.#refused.set(refused, readRefusal(refusal));
    this.#pending.push(...[...rowRanges].reverse());
  }

  /** A piece that runs out of memory again and again is divided; a single row has to wait. */
  #tooLarge(error: unknown, rowRange: RowRange): PartialWriteError | undefined {
    if (!(error instanceof RetryableError) || codeOf(error) !== MEMORY_LIMIT) return undefined;
    this.#memoryFailures += 1;
    if (this.#memoryFailures < MEMORY_ATTEMPTS || rowRange.to - rowRange.from === 1) return undefined;
    this.#memoryFailures = 0;
    this.filtered = true;
    return outOfMemory(error);
  }
}

/** What makes the host divide a batch that the server has no memory for. */
export function outOfMemory(error: SinkError): PartialWriteError {
  return new PartialWriteError(`${error.message} again and again`, error.code, [], {
    cause: error.cause,
  });
}

/** ClickHouse's number of an error. */
export function codeOf({ code }: SinkError): number {
  return Number.parseInt(code, 10);
}

function isForPartitions(refusal: PartialWriteError): boolean {
  const { cause } = refusal;
  return classOf(codeOf(refusal), cause instanceof Error ? cause.message : '') === 'partitions';
}
