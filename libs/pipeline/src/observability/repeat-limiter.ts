/** Lines of one kind that are written in a window. */
export const REPEAT_LIMIT = 5;
/** Length of a window, ms. */
export const REPEAT_WINDOW_MS = 10_000;
/** Kinds that are remembered at most; messages are constants, so this is a guard against a mistake. */
const MAX_KINDS = 1_000;

interface Kind {
  windowEnd: number;
  written: number;
  suppressed: number;
  report: (suppressed: number) => void;
  timer: NodeJS.Timeout | undefined;
}

/** Whether a line may be written, and how many like it were left out before. */
export interface Admission {
  readonly admitted: boolean;
  readonly suppressed: number;
}

const REFUSED: Admission = { admitted: false, suppressed: 0 };

/**
 * Keeps a repeated log line from flooding: of one kind, `REPEAT_LIMIT` lines in each window. How many were left out is
 * told with the next line of the kind, or by `report` when the window ends. Its timers do not keep the process alive.
 */
export class RepeatLimiter {
  readonly #kinds = new Map<string, Kind>();

  /** @param now milliseconds since 1970-01-01 UTC; only differences count */
  constructor(private readonly now: () => number = Date.now) {}

  /**
   * Asks for one line.
   * @param kind   what makes lines the same
   * @param report writes the number of lines left out, when no further line tells it
   */
  admit(kind: string, report: (suppressed: number) => void): Admission {
    const now = this.now();
    const known = this.#kinds.get(kind);
    if (known === undefined || now >= known.windowEnd) return this.#open(kind, known, now, report);
    if (known.written < REPEAT_LIMIT) {
      known.written += 1;
      return { admitted: true, suppressed: 0 };
    }
    known.suppressed += 1;
    known.timer ??= this.#reportLater(known, known.windowEnd - now);
    return REFUSED;
  }

  /** Reports all that was left out so far, at once. */
  flush(): void {
    for (const kind of this.#kinds.values()) reportNow(kind);
  }

  #open(name: string, known: Kind | undefined, now: number, report: (suppressed: number) => void): Admission {
    const suppressed = known?.suppressed ?? 0;
    if (known?.timer) clearTimeout(known.timer);
    if (known === undefined && this.#kinds.size >= MAX_KINDS) this.#forget();
    this.#kinds.set(name, {
      windowEnd: now + REPEAT_WINDOW_MS,
      written: 1,
      suppressed: 0,
      report,
      timer: undefined,
    });
    return { admitted: true, suppressed };
  }

  #reportLater(kind: Kind, ms: number): NodeJS.Timeout {
    return setTimeout(() => reportNow(kind), ms).unref();
  }

  #forget(): void {
    this.flush();
    this.#kinds.clear();
  }
}

function reportNow(kind: Kind): void {
  if (kind.timer) clearTimeout(kind.timer);
  kind.timer = undefined;
  const { suppressed } = kind;
  kind.suppressed = 0;
  if (suppressed > 0) kind.report(suppressed);
}
