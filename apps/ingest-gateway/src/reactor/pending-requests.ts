/** Requests to the process at the other end of the channel that wait for their answer. */
export class PendingRequests<Question, Answer> {
  readonly #waiting = new Map<number, (answer: Answer | undefined) => void>();
  #lastId = 0;

  /** @param send asks the other process */
  constructor(private readonly send: (requestId: number, question: Question) => void) {}

  /** Resolves with `undefined` when no answer comes within the time, ms, or `close` is called. */
  ask(question: Question, timeoutMs: number): Promise<Answer | undefined> {
    const requestId = (this.#lastId += 1);
    return new Promise((resolve) => {
      const done = (answer: Answer | undefined): void => {
        clearTimeout(timer);
        this.#waiting.delete(requestId);
        resolve(answer);
      };
      const timer = setTimeout(() => done(undefined), timeoutMs);
      this.#waiting.set(requestId, done);
      this.send(requestId, question);
    });
  }

  /** An answer came; one that comes too late does nothing. */
  answered(requestId: number, answer: Answer | undefined): void {
    this.#waiting.get(requestId)?.(answer);
  }

  /** No answer will come any more. */
  close(): void {
    for (const done of [...this.#waiting.values()]) done(undefined);
  }
}
