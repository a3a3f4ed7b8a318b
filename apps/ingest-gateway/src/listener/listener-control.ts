import type { Logger } from '@activity-gateway/pipeline/api';
import { Backoff, sleep } from '@activity-gateway/pipeline/helpers';
import type { Acceptor } from './acceptor.js';
import { reasonOf, type ServerIdentity } from './server-identity.js';
import type { ListenerStatus } from './types.js';

/** What the control of the listener is made from. */
export interface ListenerControlDependencies {
  readonly logger: Logger;
  readonly acceptor: Acceptor;
  readonly identity: ServerIdentity;
  /** Resolves when connections can be served, or after a while. */
  untilServed(): Promise<void>;
  /** Waits between attempts; from half a second to 30 s by default. */
  readonly backoff?: Backoff;
}

/** Attempts after the first one that failed. */
const RETRIES = 5;
/** After the last of them it checks silently whether the fault is gone, ms. */
const QUIET_RETRY_MS = 30_000;

/** Starts the listener, again when that fails, and moves it to another port. */
export class ListenerControl {
  readonly #backoff: Backoff;
  #state: ListenerStatus['state'] = 'stopped';
  #reason: string | undefined;
  #retrying = new AbortController();
  #failures = 0;
  #wake = (): void => undefined;
  /** Attempts and changes happen one after the other. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly dependencies: ListenerControlDependencies) {
    this.#backoff = dependencies.backoff ?? new Backoff({ initialMs: 500, maxMs: 30_000, jitter: 0 });
  }

  /** State, reason and certificate for the listener's status. */
  status(): Pick<ListenerStatus, 'state' | 'reason' | 'certificate'> {
    const { certificate, problem, keyChange } = this.dependencies.identity;
    return {
      state: this.#state,
      ...(this.#reason !== undefined && { reason: this.#reason }),
      ...(certificate && {
        certificate: {
          spkiHash: certificate.spkiHash,
          notAfter: certificate.notAfter,
          selfSigned: certificate.selfSigned,
          ...(problem !== undefined && { problem }),
          ...(keyChange && { keyChange }),
        },
      }),
    };
  }

  /** Makes the first attempt; further ones follow in the background. Does not reject. */
  async start(): Promise<void> {
    if (this.#state !== 'stopped') return;
    this.#state = 'starting';
    await this.dependencies.identity.start();
    try {
      await this.#serially(() => this.#attempt());
    } catch (error) {
      void this.#retry(error);
    }
  }

  /**
   * Acts on new settings. A new port is bound before the old one is let go; connections that came over the old one stay.
   * @param port the port to listen on
   * @throws GatewayError `LISTENER_BIND_FAILED` when the new port cannot be bound; the old one is kept
   */
  async update(port: number): Promise<void> {
    const { acceptor, identity } = this.dependencies;
    await this.#serially(async () => {
      if (port === acceptor.wantedPort) return;
      if (this.#state === 'stopped' || identity.certificate === undefined) acceptor.setPort(port);
      else await this.#listen(port);
    });
    this.retryNow();
  }

  /** What the listener needs has changed: if it could not start, it tries again at once, as often as at first. */
  retryNow(): void {
    if (this.#state !== 'failed') return;
    this.#failures = 0;
    this.#backoff.reset();
    this.#wake();
  }

  /** Lets go of the port, until `start` is called again. */
  stop(): void {
    this.#state = 'stopped';
    this.#reason = undefined;
    this.#retrying.abort();
    this.dependencies.identity.stop();
    this.dependencies.acceptor.close();
  }

  #serially(change: () => Promise<void>): Promise<void> {
    const result = this.#queue.then(change);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #attempt(): Promise<void> {
    await this.dependencies.identity.load();
    await this.dependencies.untilServed();
    // A change of the port may have succeeded meanwhile.
    if (this.#state !== 'listening') await this.#listen(this.dependencies.acceptor.wantedPort);
  }

  async #listen(port: number): Promise<void> {
    const { acceptor, logger } = this.dependencies;
    if (this.#state === 'stopped') return;
    await acceptor.listen(port);
    if (this.#isStopped()) return acceptor.close();
    this.#retrying.abort();
    this.#backoff.reset();
    this.#state = 'listening';
    this.#reason = undefined;
    logger.info({ host: acceptor.host, port: acceptor.port }, 'NAM Listener started');
  }

  /** Read anew: `stop` may have been called during a wait. */
  #isStopped(): boolean {
    return this.#state === 'stopped';
  }

  async #retry(first: unknown): Promise<void> {
    const { signal } = (this.#retrying = new AbortController());
    let error: unknown = first;
    this.#failures = 0;
    while (!this.#isStopped()) {
      await this.#waitAfter(error, signal);
      if (signal.aborted) return;
      try {
        return await this.#serially(() => this.#attempt());
      } catch (next) {
        error = next;
      }
    }
  }

  /** Tells of a failure, and waits for the time of the next attempt or until something has changed. */
  async #waitAfter(error: unknown, signal: AbortSignal): Promise<void> {
    this.#failures += 1;
    const retryInMs = this.#failures > RETRIES ? QUIET_RETRY_MS : this.#backoff.next();
    this.#state = 'failed';
    this.#reason = reasonOf(error);
    const fields = { reason: this.#reason, attempt: this.#failures, attempts: RETRIES + 1, retryInMs };
    if (this.#failures <= RETRIES + 1) this.dependencies.logger.error(fields, 'Failed to start NAM Listener');
    else this.dependencies.logger.debug(fields, 'NAM Listener still cannot start');
    const changed = new AbortController();
    this.#wake = () => changed.abort();
    await sleep(retryInMs, AbortSignal.any([signal, changed.signal]));
  }
}
