/** Lets one loop sleep until something happened; what happens while it is awake is not missed. */
export class Wake {
  #pending = false;
  #resume: (() => void) | undefined;

  /** Something happened. */
  readonly wake = (): void => {
    this.#pending = true;
    this.#resume?.();
  };

  /** Resolves when something has happened since the last time. */
  async wait(): Promise<void> {
    if (!this.#pending) await new Promise<void>((resolve) => (this.#resume = resolve));
    this.#pending = false;
    this.#resume = undefined;
  }
}
