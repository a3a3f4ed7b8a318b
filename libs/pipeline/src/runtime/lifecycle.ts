import { GatewayError, type Lifecycle, type Logger } from '../api/index.js';
import { sleep } from '../helpers/index.js';
import type { Instance } from './instances.js';

/** How long an instance may take to start, ms. */
export const START_TIMEOUT_MS = 10_000;
/** How long an instance may take to stop beyond its deadline, ms, before it is left behind. */
export const STOP_GRACE_MS = 1_000;

/** An instance and what starts it. */
export interface Startable {
  readonly instance: Instance<Pick<Lifecycle, 'stop'>>;
  readonly start: (signal: AbortSignal) => Promise<void> | undefined;
}

/**
 * Starts instances one after the other.
 * @throws GatewayError that names the instance which failed or took too long; nothing is stopped: `stopAll` does that
 */
export async function startAll(
  startables: readonly Startable[],
  signal: AbortSignal,
  timeoutMs = START_TIMEOUT_MS,
): Promise<void> {
  for (const { instance, start } of startables) {
    instance.board.begin();
    await startOne(instance.board.id, start, signal, timeoutMs);
    instance.board.enter('running');
  }
}

/** The signal that an instance gets aborts only while it starts: what it has opened with it must stay open. */
async function startOne(
  id: string,
  start: Startable['start'],
  signal: AbortSignal,
  timeoutMs: number,
): Promise<void> {
  const giveUp = new AbortController();
  const over = new Promise<never>((_, reject) => {
    giveUp.signal.addEventListener('abort', () => reject(giveUp.signal.reason as Error), { once: true });
  });
  const callOff = (): void =>
    giveUp.abort(new GatewayError('START_ABORTED', `The start of ${id} was called off.`));
  const timer = setTimeout(() => giveUp.abort(tooLate(id, timeoutMs)), timeoutMs);
  signal.addEventListener('abort', callOff, { once: true });
  try {
    // In a function, so that what it throws at once is a rejection too.
    const started = (async () => (signal.aborted ? callOff() : start(giveUp.signal)))();
    await Promise.race([over, started]);
    if (giveUp.signal.aborted) await over;
  } catch (error) {
    throw asStartError(id, error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', callOff);
  }
}

function tooLate(id: string, timeoutMs: number): GatewayError {
  return new GatewayError(
    'INSTANCE_START_TIMEOUT',
    `The instance ${id} did not start within ${timeoutMs / 1000} seconds.`,
    'Check what it waits for at its start; its log lines carry its name.',
  );
}

function asStartError(id: string, error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new GatewayError(
    'INSTANCE_START_FAILED',
    `The instance ${id} could not start: ${message}`,
    'Mend what the message names; the gateway tries again when it is started again.',
    { cause: error },
  );
}

/** Stops instances one after the other. What fails or outlives the deadline is logged and left behind. */
export async function stopAll(
  instances: readonly Instance<Pick<Lifecycle, 'stop'>>[],
  deadline: number,
  now: () => number,
  logger: Logger,
): Promise<void> {
  for (const { plugin, board } of instances) {
    board.enter('stopping');
    const over = new AbortController();
    const late = sleep(Math.max(0, deadline - now()) + STOP_GRACE_MS, over.signal).then(
      () => !over.signal.aborted,
    );
    try {
      const stopped = Promise.resolve(plugin.stop?.(deadline)).then(() => false);
      if (await Promise.race([stopped, late])) {
        logger.warn({ instance: board.id }, 'Instance did not stop in time');
      }
    } catch (error) {
      logger.error({ instance: board.id, err: error }, 'Failed to stop the instance cleanly');
    } finally {
      over.abort();
      board.enter('stopped');
    }
  }
}
