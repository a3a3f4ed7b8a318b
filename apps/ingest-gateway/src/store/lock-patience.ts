import { GatewayError, type Logger } from '@activity-gateway/pipeline/api';
import { sleep, stateOf, type ProcessIdentity } from '@activity-gateway/pipeline/helpers';

/** What a lock file says of its holder. */
export interface LockHolder extends ProcessIdentity {
  readonly id: string;
  readonly since: string;
  /** It is being stopped: worth waiting for. */
  readonly stopping?: boolean;
}

/** How to wait for another holder. */
export interface LockWait {
  readonly logger: Logger;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

/** For a holder that is being stopped, or of which nobody knows whether it lives: a container that is replaced. */
const WAIT_MS = 30_000;
/** For one that runs here and has not said that it stops, ms: it may have been killed just now. */
const SHORT_WAIT_MS = 2_000;
const LOOK_EVERY_MS = 200;

/** Waits for another holder to end, and says so once. */
export class LockPatience {
  readonly #began = performance.now();
  #seen: { readonly mtimeMs: number; readonly at: number } | undefined;
  #told = false;

  constructor(private readonly wait: LockWait | undefined) {}

  /** How long a holder has not refreshed its lock, ms, by its clock or as watched: its clock may be another one. */
  silentMs({ mtimeMs }: { readonly mtimeMs: number }): number {
    if (this.#seen?.mtimeMs !== mtimeMs) this.#seen = { mtimeMs, at: performance.now() };
    return Math.max(Date.now() - mtimeMs, performance.now() - this.#seen.at);
  }

  /** Waits a little; false when it has waited long enough for this holder. */
  async waits(path: string, holder: LockHolder): Promise<boolean> {
    if (this.wait === undefined) return false;
    const { logger, signal } = this.wait;
    const here = stateOf(holder) === 'running' && holder.stopping !== true;
    const limitMs = here ? SHORT_WAIT_MS : WAIT_MS;
    if (performance.now() - this.#began >= limitMs) return false;
    if (!this.#told) {
      const { pid, host, since } = holder;
      logger.warn(
        { lock: path, pid, host, since, waitMs: limitMs },
        'Data directory in use; waiting for its lock',
      );
    }
    this.#told = true;
    await sleep(LOOK_EVERY_MS, signal);
    if (signal?.aborted === true) throw new GatewayError('START_ABORTED', 'The start was called off.');
    return true;
  }
}
