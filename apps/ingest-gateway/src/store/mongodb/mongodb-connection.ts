import { GatewayError, type Logger } from '@activity-gateway/pipeline/api';
import type { StoreStatus } from '../repositories.js';
import { withDeadline } from './deadline.js';
import { OPERATION_TIMEOUT_MS } from './mongodb-client.js';
import { isConnectivity, reasonOf } from './mongodb-errors.js';

const HINT = 'The gateway tries again by itself; check that MongoDB runs and can be reached.';

/**
 * Knows whether the server is there. While it is not, operations fail at once: nobody waits for what cannot come, and
 * a queue of changes does not grow by a timeout for each of them.
 */
export class MongoConnection {
  #state: 'connecting' | 'up' | 'down' | 'closed' = 'connecting';
  #reason: string | undefined;
  #wasUp = false;

  /**
   * @param label   names the server in messages
   * @param connect is called before each operation: a driver whose first attempt failed does not try by itself again. Its
   *   GatewayError says that the server must not be used.
   */
  constructor(
    private readonly label: string,
    private readonly connect: () => Promise<unknown>,
    private readonly logger: Logger,
  ) {}

  /** As `Store.status`. */
  status(): StoreStatus {
    if (this.#state === 'up') return { state: 'ok' };
    const state = this.#wasUp && this.#state !== 'closed' ? 'degraded' : 'failed';
    return { state, reason: this.#message() };
  }

  /**
   * Runs an operation, for at most `OPERATION_TIMEOUT_MS`.
   * @throws GatewayError `STORE_UNAVAILABLE`, whatever it failed with, or what `connect` refuses the server with
   */
  async run<T>(operation: () => Promise<T>): Promise<T> {
    if (this.#state === 'down' || this.#state === 'closed') throw this.#unavailable();
    try {
      return await this.probe(operation);
    } catch (error) {
      const refused = error instanceof GatewayError;
      if (refused || isConnectivity(error)) this.down(error);
      throw refused ? error : this.#unavailable(error);
    }
  }

  /** Runs an operation even while the server is taken to be gone; fails with the driver's own error. */
  probe<T>(operation: () => Promise<T>): Promise<T> {
    return withDeadline(async () => {
      await this.connect();
      return operation();
    }, OPERATION_TIMEOUT_MS);
  }

  /** The server has answered. */
  up(): void {
    if (this.#state === 'closed' || this.#state === 'up') return;
    this.#state = 'up';
    this.#wasUp = true;
    this.#reason = undefined;
    this.logger.info({ server: this.label }, 'MongoDB store available');
  }

  /** The server cannot be used. */
  down(error: unknown): void {
    if (this.#state === 'closed') return;
    const reason = reasonOf(error);
    const told = this.#state === 'down';
    this.#state = 'down';
    this.#reason = reason;
    if (told) return;
    const serves = this.#wasUp ? 'serving what was read last' : 'no agent is served yet';
    this.logger.error({ server: this.label, reason }, `MongoDB store not available; ${serves}`);
  }

  /** Nothing can be run any more. */
  close(): void {
    this.#state = 'closed';
  }

  #message(reason = this.#reason): string {
    if (this.#state === 'closed') return 'The store is closed.';
    if (reason === undefined) return `MongoDB at ${this.label} has not answered yet.`;
    return `MongoDB at ${this.label} cannot be used: ${reason}.`;
  }

  #unavailable(error?: unknown): GatewayError {
    const message = this.#message(error === undefined ? undefined : reasonOf(error));
    return new GatewayError('STORE_UNAVAILABLE', message, HINT);
  }
}
