import { GatewayError, type Gauge, type Logger, type Metrics, type TlsIdentity } from '@app/pipeline/api';
import { Backoff, sleep } from '@app/pipeline/helpers';
import type { Acceptor } from './acceptor.js';
import { expiryWarning } from './expiry-warning.js';
import type { ServerCertificate } from './server-certificate.js';
import type { AcceptorSettings, ListenerStatus } from './types.js';

/** What the control of the listener is made from. */
export interface ListenerControlParts {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly acceptor: Acceptor;
  loadIdentity(): Promise<ServerCertificate>;
  /** Gives reactors the certificate. */
  useIdentity(identity: TlsIdentity): void;
  /** Resolves when connections can be served, or after a while. */
  untilServed(): Promise<void>;
  /** Waits between attempts; from half a second to 30 s by default. */
  readonly backoff?: Backoff;
}

/** Attempts after the first one that failed. */
const RETRIES = 5;
const DAY_MS = 86_400_000;

/** Starts the listener, again when that fails, and moves it to another port. */
export class ListenerControl {
  readonly #notAfter: Gauge;
  readonly #backoff: Backoff;
  #state: ListenerStatus['state'] = 'stopped';
  #reason: string | undefined;
  #certificate: ServerCertificate | undefined;
  #retrying = new AbortController();
  #daily: NodeJS.Timeout | undefined;
  /** Attempts and changes happen one after the other. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly parts: ListenerControlParts) {
    this.#backoff = parts.backoff ?? new Backoff({ initialMs: 500, maxMs: 30_000, jitter: 0 });
    this.#notAfter = parts.metrics.gauge(
      'gateway_tls_certificate_not_after_seconds',
      'When the server certificate expires, in seconds since 1970-01-01 UTC.',
    );
  }

  /** State, reason and certificate for the listener's status. */
  status(): Pick<ListenerStatus, 'state' | 'reason' | 'certificate'> {
    const { spkiHash, notAfter, selfSigned } = this.#certificate ?? {};
    const known = spkiHash !== undefined && notAfter !== undefined && selfSigned !== undefined;
    return {
      state: this.#state,
      ...(this.#reason !== undefined && { reason: this.#reason }),
      ...(known && { certificate: { spkiHash, notAfter, selfSigned } }),
    };
  }

  /** Makes the first attempt; further ones follow in the background. Does not reject. */
  async start(): Promise<void> {
    this.#state = 'starting';
    this.#daily = setInterval(() => this.#warnOfExpiry(), DAY_MS).unref();
    try {
      await this.#serially(() => this.#attempt());
    } catch (error) {
      void this.#retry(error);
    }
  }

  /**
   * Acts on new settings. A new port is bound before the old one is let go.
   * @throws GatewayError when the new port cannot be bound; the old one is kept
   */
  async update(settings: AcceptorSettings): Promise<void> {
    const { acceptor } = this.parts;
    acceptor.setLimits(settings);
    await this.#serially(async () => {
      if (settings.port === acceptor.settings.port) return;
      if (this.#state === 'stopped' || this.#certificate === undefined) acceptor.setPort(settings.port);
      else await this.#listen(settings.port);
    });
  }

  /** Lets go of the port, until `start` is called again. */
  stop(): void {
    this.#state = 'stopped';
    this.#reason = undefined;
    this.#retrying.abort();
    clearInterval(this.#daily);
    this.parts.acceptor.close();
  }

  #serially(change: () => Promise<void>): Promise<void> {
    const result = this.#queue.then(change);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #attempt(): Promise<void> {
    await this.#loadCertificate();
    await this.parts.untilServed();
    // A change of the port may have succeeded meanwhile.
    if (this.#state !== 'listening') await this.#listen(this.parts.acceptor.settings.port);
  }

  async #listen(port: number): Promise<void> {
    const { acceptor, logger } = this.parts;
    if (this.#state === 'stopped') return;
    await acceptor.listen(port);
    if (this.#isStopped()) return acceptor.close();
    this.#retrying.abort();
    this.#state = 'listening';
    this.#reason = undefined;
    logger.info({ host: acceptor.host, port: acceptor.port }, 'NAM Listener started');
  }

  /** Read anew: `stop` may have been called during a wait. */
  #isStopped(): boolean {
    return this.#state === 'stopped';
  }

  async #loadCertificate(): Promise<void> {
    if (this.#certificate !== undefined) return;
    const certificate = await this.parts.loadIdentity();
    this.#certificate = certificate;
    this.#notAfter.set(Math.floor(certificate.notAfter / 1_000));
    this.parts.useIdentity(certificate.identity);
    this.#warnOfExpiry();
  }

  async #retry(first: unknown): Promise<void> {
    const { signal } = (this.#retrying = new AbortController());
    let error: unknown = first;
    for (let failures = 1; !this.#isStopped(); failures += 1) {
      const last = failures > RETRIES;
      const waitMs = this.#backoff.next();
      this.#failed(error, failures, last ? undefined : waitMs);
      if (last) return;
      await sleep(waitMs, signal);
      if (signal.aborted) return;
      try {
        return await this.#serially(() => this.#attempt());
      } catch (next) {
        error = next;
      }
    }
  }

  #failed(error: unknown, attempt: number, retryInMs: number | undefined): void {
    const reason = reasonOf(error);
    this.#state = 'failed';
    this.#reason = reason;
    const again = retryInMs === undefined ? {} : { retryInMs };
    const fields = { reason, attempt, attempts: RETRIES + 1, ...again };
    this.parts.logger.error(fields, 'Failed to start NAM Listener');
  }

  #warnOfExpiry(): void {
    if (this.#certificate === undefined) return;
    const days = expiryWarning(this.#certificate.notAfter, Date.now());
    if (days !== undefined) this.parts.logger.warn({ days }, 'Server certificate expires soon');
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof GatewayError && error.hint !== undefined
    ? `${error.message} ${error.hint}`
    : error.message;
}
