import type { Writable } from 'node:stream';

/** Where progress is shown. */
export type ProgressOutput = Writable & { readonly isTTY?: boolean; readonly columns?: number };

const TTY_INTERVAL_MS = 200;
const LINE_INTERVAL_MS = 2_000;
const CLEAR = '\r\u001b[2K';

/** Shows a text that changes: as one line that is written over on a terminal, else as a line every two seconds. */
export class ProgressLine {
  readonly #timer: NodeJS.Timeout;

  /** @param text makes the line, without its end; called for each showing */
  constructor(
    private readonly text: () => string,
    private readonly output: ProgressOutput = process.stdout,
  ) {
    this.#timer = setInterval(() => this.#show(), output.isTTY === true ? TTY_INTERVAL_MS : LINE_INTERVAL_MS);
  }

  /** Shows the last state, ends its line and stops. Safe twice. */
  stop(): void {
    if (!this.#timer.hasRef()) return;
    clearInterval(this.#timer);
    this.#timer.unref();
    this.#show();
    if (this.output.isTTY === true) this.output.write('\n');
  }

  #show(): void {
    if (this.output.isTTY !== true) {
      this.output.write(`${this.text()}\n`);
      return;
    }
    // A line that wraps cannot be written over.
    this.output.write(CLEAR + this.text().slice(0, (this.output.columns ?? 80) - 1));
  }
}
