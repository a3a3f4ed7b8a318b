import { GatewayError, type Logger, type TlsIdentity } from '@app/pipeline/api';
import { sleep } from '@app/pipeline/helpers';
import { ExpiryWarnings } from './expiry-warning.js';
import type { FileWatch } from './file-watch.js';
import type { ServerCertificate } from './server-certificate.js';

/** What the server's identity is made from. */
export interface ServerIdentityParts {
  readonly logger: Logger;
  /** Reads and checks the pair for the first time. */
  load(): Promise<ServerCertificate>;
  /** Reads and checks the pair anew; makes none. */
  reload(): Promise<ServerCertificate>;
  /** Gives reactors the certificate, for new connections. */
  use(identity: TlsIdentity): void;
  /** Makes the watch over the files. */
  watch(changed: () => void): FileWatch;
  /** Called when the files have changed and there is no certificate yet. */
  filesChanged(): void;
}

/** A certificate and its key are two files: how long the second may take to follow the first, ms. */
const PAIR_MS = 1_000;
const HOUR_MS = 3_600_000;

/** The server's certificate: loaded once, renewed whenever its files change, and watched for its end. */
export class ServerIdentity {
  readonly #watch: FileWatch;
  readonly #warnings = new ExpiryWarnings();
  #current: ServerCertificate | undefined;
  #problem: string | undefined;
  #stopped = new AbortController();
  #hourly: NodeJS.Timeout | undefined;
  /** Of several renewals under way, only the newest decides. */
  #renewal = 0;

  constructor(private readonly parts: ServerIdentityParts) {
    this.#watch = parts.watch(() => this.#changed());
  }

  /** The certificate in use. */
  get certificate(): ServerCertificate | undefined {
    return this.#current;
  }

  /** Why the files are not what is in use; for operators. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Begins to watch. */
  async start(): Promise<void> {
    this.#stopped = new AbortController();
    this.#hourly ??= setInterval(() => this.#warnOfExpiry(), HOUR_MS).unref();
    await this.#watch.start();
    if (this.#current !== undefined) await this.#renew();
  }

  /** Ends the watch; `start` may be called again. */
  stop(): void {
    this.#stopped.abort();
    this.#watch.stop();
    clearInterval(this.#hourly);
    this.#hourly = undefined;
  }

  /**
   * Loads the certificate, unless there is one.
   * @throws GatewayError `TLS_CERTIFICATE_INVALID` or `TLS_CERTIFICATE_UNREADABLE`
   */
  async load(): Promise<void> {
    if (this.#current === undefined) this.#take(await this.parts.load());
  }

  #changed(): void {
    if (this.#current === undefined) this.parts.filesChanged();
    else void this.#renew();
  }

  async #renew(): Promise<void> {
    const renewal = (this.#renewal += 1);
    const { signal } = this.#stopped;
    let found = await this.#reload();
    if (found.problem !== undefined) {
      await sleep(PAIR_MS, signal);
      found = await this.#reload();
    }
    if (signal.aborted || renewal !== this.#renewal) return;
    if (found.certificate === undefined) this.#keep(found.problem);
    else this.#replace(found.certificate);
  }

  async #reload(): Promise<
    | { readonly certificate: ServerCertificate; readonly problem?: undefined }
    | { readonly certificate?: undefined; readonly problem: string }
  > {
    try {
      return { certificate: await this.parts.reload() };
    } catch (error) {
      return { problem: reasonOf(error) };
    }
  }

  #keep(problem: string): void {
    this.#problem = problem;
    const notAfter = new Date(this.#current?.notAfter ?? 0);
    this.parts.logger.error({ reason: problem, notAfter }, 'The changed server certificate is not used');
  }

  #replace(next: ServerCertificate): void {
    this.#problem = undefined;
    const { identity, spkiHash } = this.#current ?? {};
    if (identity?.cert === next.identity.cert && identity.key === next.identity.key) return;
    this.#take(next);
    const { logger } = this.parts;
    logger.info({ notAfter: new Date(next.notAfter) }, 'Server certificate renewed: new connections get it');
    if (spkiHash !== next.spkiHash) {
      logger.warn(
        { spki: next.spkiHash },
        'The server has another key now: enrollment tokens that carry the old one are worth nothing',
      );
    }
  }

  #take(certificate: ServerCertificate): void {
    this.#current = certificate;
    this.parts.use(certificate.identity);
    this.#warnOfExpiry();
  }

  #warnOfExpiry(): void {
    const warning = this.#current && this.#warnings.due(this.#current.notAfter, Date.now());
    if (warning !== undefined) this.parts.logger.warn({ days: warning.days }, warning.message);
  }
}

/** What is wrong, in one line for operators. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof GatewayError && error.hint !== undefined
    ? `${error.message} ${error.hint}`
    : error.message;
}
