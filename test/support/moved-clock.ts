import { renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const PRELOAD = pathToFileURL(resolve('test/support/clock-preload.mjs')).href;

/** The clock of a gateway's processes, which a test sets back and forward while they run. */
export class MovedClock {
  readonly #file: string;
  #offset = 0;

  /** @param directory where the offset is kept for the processes */
  constructor(directory: string) {
    this.#file = join(directory, 'clock-offset');
  }

  /** What makes a process follow this clock. */
  get env(): NodeJS.ProcessEnv {
    return { NODE_OPTIONS: `--import ${PRELOAD}`, CHAOS_CLOCK_FILE: this.#file };
  }

  /** How far it is from the machine's, ms. */
  get offset(): number {
    return this.#offset;
  }

  /** Jumps by so many ms; running processes follow within 50 ms. */
  jump(ms: number): void {
    this.#offset += ms;
    // No process may read half a number.
    writeFileSync(`${this.#file}.new`, String(this.#offset));
    renameSync(`${this.#file}.new`, this.#file);
  }
}
