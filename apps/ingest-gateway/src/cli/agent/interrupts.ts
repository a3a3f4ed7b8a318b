/** What Ctrl-C, SIGTERM and the end of the terminal ask for. */
export interface Interrupts {
  /** Aborts at the first signal: end in order. */
  readonly stop: AbortController;
  /** Aborts at the second: end at once. */
  readonly abort: AbortController;
  /** Gives the signals back to the process. */
  release(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** A terminal and npm may both hand on one and the same Ctrl-C; a second one of a person comes later, in ms. */
const SAME_SIGNAL_MS = 250;

/** Takes the signals that end a program until it is released. */
export function takeInterrupts(): Interrupts {
  const stop = new AbortController();
  const abort = new AbortController();
  let firstAt = 0;
  const onSignal = (): void => {
    if (!stop.signal.aborted) firstAt = performance.now();
    else if (performance.now() - firstAt > SAME_SIGNAL_MS) abort.abort();
    stop.abort();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    stop,
    abort,
    release: () => {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}
