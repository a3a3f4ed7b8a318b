import { writeSync } from 'node:fs';

const STANDARD_OUTPUT = 1;
/** A reader that is behind on a non-blocking pipe is waited for, ms in all and between two looks. */
const PATIENCE_MS = 1_000;
const LOOK_AGAIN_MS = 10;

/**
 * Writes log lines to standard output before `write` returns. A line that cannot be written (a full disk, a reader or a
 * terminal that has gone) is lost: it must neither end the program nor keep it from ending, as pino's own destination
 * does (its `flushSync` repeats a write that fails, without end).
 */
export class StandardOutput {
  readonly #never = new Int32Array(new SharedArrayBuffer(4));

  get isTTY(): boolean {
    return process.stdout.isTTY;
  }

  write(line: string): void {
    let rest = Buffer.from(line);
    for (let waitedMs = 0; rest.length > 0 && waitedMs < PATIENCE_MS;) {
      try {
        rest = rest.subarray(writeSync(STANDARD_OUTPUT, rest));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
        Atomics.wait(this.#never, 0, 0, LOOK_AGAIN_MS);
        waitedMs += LOOK_AGAIN_MS;
      }
    }
  }
}
