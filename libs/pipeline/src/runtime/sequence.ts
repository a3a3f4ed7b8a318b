const WIDTH = 12;

/** One count for the whole process: two pipelines of one epoch must never give the same id or token. */
let last = 0;

/**
 * The next sequence number, 12 digits, so that numbers sort as text. Unique in the process; a gap means that an entry
 * was given up before it was queued.
 */
export function nextSequence(): string {
  last += 1;
  return String(last).padStart(WIDTH, '0');
}
