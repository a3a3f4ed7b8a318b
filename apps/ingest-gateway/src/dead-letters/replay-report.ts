import type { ReplayOutcome } from '@activity-gateway/pipeline/host';
import type { DeadLetterPosition } from '../clickhouse/types.js';
import { writeCursor } from './dead-letter-query.js';

/** What `POST /api/v1/dead-letters/replay` answers. */
export interface ReplayReport {
  /** Stored now and marked as replayed. */
  readonly replayed: number;
  /** Found stored by an earlier replay that could not mark them; marked now. */
  readonly alreadyStored: number;
  /** Refused as before: they stay as they are. */
  readonly refused: number;
  /** Neither: a sink could not be written to. Replay again. */
  readonly failed: number;
  /** Of those that the filter takes, the ones that were replayed before; they are left alone. */
  readonly skipped: number;
  /** Refusals and failures by code, the most frequent first. */
  readonly problems: readonly ReplayProblem[];
  /** Where to go on, when the limit or a failure ended it before the last one. */
  readonly cursor?: string;
}

/** Why dead letters could not be replayed. */
export interface ReplayProblem {
  readonly code: string;
  /** Of the first one. */
  readonly message: string;
  readonly count: number;
}

const COUNTS = {
  replayed: 'replayed',
  stored: 'alreadyStored',
  refused: 'refused',
  failed: 'failed',
} as const;

/** Adds up what a replay did. */
export class ReplayTally {
  readonly #counts = { replayed: 0, alreadyStored: 0, refused: 0, failed: 0 };
  readonly #problems = new Map<string, { code: string; message: string; count: number }>();

  constructor(private readonly skipped: number) {}

  add(outcomes: readonly ReplayOutcome[]): void {
    for (const { outcome, code, message = '' } of outcomes) {
      this.#counts[COUNTS[outcome]] += 1;
      if (code === undefined) continue;
      const problem = this.#problems.get(code);
      if (problem === undefined) this.#problems.set(code, { code, message, count: 1 });
      else problem.count += 1;
    }
  }

  report(next: DeadLetterPosition | undefined): ReplayReport {
    const problems = [...this.#problems.values()].sort((a, b) => b.count - a.count);
    return {
      ...this.#counts,
      skipped: this.skipped,
      problems,
      ...(next !== undefined && { cursor: writeCursor(next) }),
    };
  }
}
