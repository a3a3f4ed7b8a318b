type Answer = readonly object[] | undefined;

/** Requests for a reactor's metrics that wait for their answer. */
export class MetricRequests {
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  /** @param send asks the reactor */
  constructor(private readonly send: (requestId: number) => void) {}

  /** Resolves with `undefined` when no answer comes within the time, ms. */
  ask(timeoutMs: number): Promise<Answer> {
    const requestId = (this.#lastId += 1);
    return new Promise((resolve) => {
      const done = (answer: Answer): void => {
        clearTimeout(timer);
        this.#waiting.delete(requestId);
        resolve(answer);
      };
      const timer = setTimeout(() => done(undefined), timeoutMs);
      this.#waiting.set(requestId, done);
      this.send(requestId);
    });
  }

  /** An answer came; one that comes too late does nothing. */
  answered(requestId: number, metrics: readonly object[]): void {
    this.#waiting.get(requestId)?.(metrics);
  }

  /** No answer will come any more. */
  close(): void {
    for (const done of [...this.#waiting.values()]) done(undefined);
  }
}
