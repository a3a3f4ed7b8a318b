/** Steps that undo a start, run in reverse order. */
export class CleanupStack {
  readonly #steps: (() => Promise<void>)[] = [];

  /** @param onError told of a step that fails; the others still run */
  constructor(private readonly onError: (error: unknown) => void) {}

  add(step: () => Promise<void>): void {
    this.#steps.push(step);
  }

  /** Runs every step once. Does not reject. */
  async run(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        this.onError(error);
      }
    }
  }
}
