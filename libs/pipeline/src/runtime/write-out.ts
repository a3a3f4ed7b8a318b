import { sleep } from '../helpers/index.js';

/** What a drain looks at while it waits for the sinks. */
export interface WriteOutOptions {
  /** Resolves when everything is written. */
  readonly finished: Promise<void>;
  /** Whether everything that is left is on disk, so that nothing is lost when nobody waits for it. */
  readonly durable: () => boolean;
  /** Rows that wait; every change of it is progress. */
  readonly waiting: () => number;
  /** ms since 1970-01-01 UTC, by `now`. */
  readonly deadline: number;
  readonly now: () => number;
  /** How long sinks may write nothing of what is durable; `STALL_MS` by default. */
  readonly stallMs?: number;
}

/**
 * How long a drain waits for sinks that write nothing, ms. A gateway that stops has 15 s until all its processes are gone
 * when ClickHouse is down or hangs; the rest of them is for the embedded ClickHouse and the REST API.
 */
export const STALL_MS = 6_000;
const LOOK_EVERY_MS = 100;

/**
 * Waits until everything is written, until the deadline, or until sinks have written nothing for a while of what is on
 * disk anyway: a destination that is down or hangs does not hold up a stop, one that is slow has the whole time.
 */
export async function writeOut(options: WriteOutOptions): Promise<'written' | 'stalled' | 'late'> {
  const { finished, durable, waiting, deadline, now, stallMs = STALL_MS } = options;
  const over = new AbortController();
  let written = false;
  void finished.then(() => {
    written = true;
    over.abort();
  });
  let [rows, since] = [waiting(), performance.now()];
  for (;;) {
    await sleep(Math.max(0, Math.min(LOOK_EVERY_MS, deadline - now())), over.signal);
    if (written) return 'written';
    if (now() >= deadline) return 'late';
    const before = rows;
    rows = waiting();
    if (rows !== before || !durable()) since = performance.now();
    if (performance.now() - since >= stallMs) return 'stalled';
  }
}
