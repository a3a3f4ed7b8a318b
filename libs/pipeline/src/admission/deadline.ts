/** One timer for whatever comes next: it is set for the earliest of many deadlines, and asks what the next one is. */
export class Deadline {
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param next ms until the next deadline; `undefined` when there is none
   * @param due  called when one has come; the timer is set again afterwards
   */
  constructor(
    private readonly next: () => number | undefined,
    private readonly due: () => void,
  ) {}

  /** Whether the timer runs. */
  get armed(): boolean {
    return this.#timer !== undefined;
  }

  /** Sets the timer for the next deadline, if there is one. */
  arm(): void {
    this.stop();
    const ms = this.next();
    if (ms !== undefined) this.#timer = setTimeout(() => this.#fire(), Math.max(1, ms)).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #fire(): void {
    this.due();
    this.arm();
  }
}
