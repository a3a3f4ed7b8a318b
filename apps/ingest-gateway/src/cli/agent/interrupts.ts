import { GatewayError } from '@activity-gateway/pipeline/api';

/** What signals that end a program ask for. */
export interface Interrupts {
  /** Aborts at the first signal: end in order. */
  readonly stop: AbortController;
  /** Aborts at the second: end at once. */
  readonly abort: AbortController;
  /** Gives the signals back to the process. */
  release(): void;
}

/** Ctrl-C, `kill`, and the end of the terminal. */
const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** A terminal and npm may both hand on one and the same Ctrl-C; a second one of a person comes later, in ms. */
const SAME_SIGNAL_MS = 250;

/**
 * Takes the signals that end a program until it is released.
 * @param signals SIGINT, SIGTERM and SIGHUP by default
 */
export function takeInterrupts(signals = SIGNALS): Interrupts {
  const stop = new AbortController();
  const abort = new AbortController();
  let firstAt = 0;
  const onSignal = (): void => {
    if (!stop.signal.aborted) firstAt = performance.now();
    else if (performance.now() - firstAt > SAME_SIGNAL_MS) abort.abort();
    stop.abort();
  };
  for (const signal of signals) process.on(signal, onSignal);
  return {
    stop,
    abort,
    release: () => {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}

/**
 * Runs a command that signals can stop, and gives the signals back to the process at its end.
 * @returns its exit code; 130 when it fails with a GatewayError after the first signal
 * @throws what the command throws otherwise
 */
export async function withInterrupts(command: (interrupts: Interrupts) => Promise<number>): Promise<number> {
  const interrupts = takeInterrupts();
  try {
    return await command(interrupts);
  } catch (error) {
    if (interrupts.stop.signal.aborted && error instanceof GatewayError) return 130;
    throw error;
  } finally {
    interrupts.release();
  }
}
