import { PartialWriteError, PermanentError, RetryableError, SinkError } from '../api/index.js';
import type { WriteOutcome } from './meter.js';

/** Longest wait between two attempts, ms. */
export const LONGEST_WAIT_MS = 30_000;

/** What a failed attempt means for the next one. */
export interface WriteFailure {
  readonly outcome: Exclude<WriteOutcome, 'ok'>;
  /** The destination's own code, or the name of the error. */
  readonly code: string;
  /** One sentence for operators. */
  readonly reason: string;
  /** Wait at least this long, ms. */
  readonly atLeastMs: number;
}

/** Reads the error that a write has failed with: its class says what to do; what has none is worth another try. */
export function readWriteFailure(error: unknown): WriteFailure {
  const reason = error instanceof Error ? error.message : String(error);
  const code = codeOf(error);
  if (error instanceof PermanentError) {
    return { outcome: 'permanent', code, reason, atLeastMs: LONGEST_WAIT_MS };
  }
  if (error instanceof PartialWriteError) {
    return { outcome: 'partial', code, reason, atLeastMs: LONGEST_WAIT_MS };
  }
  const atLeastMs = error instanceof RetryableError ? error.retryAfterMs : 0;
  return { outcome: 'retryable', code, reason, atLeastMs };
}

function codeOf(error: unknown): string {
  if (error instanceof SinkError) return error.code;
  const { code, name } =
    error instanceof Error ? (error as NodeJS.ErrnoException) : { code: undefined, name: 'unknown' };
  return code ?? name;
}
