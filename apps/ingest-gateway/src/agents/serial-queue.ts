/** Runs asynchronous steps one after another, in the order they were given. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** Resolves or rejects as the step does; a step that fails does not stop later ones. */
  run<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#last.then(step);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Resolves when all steps given so far have ended. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
