import { GatewayError, type Logger } from '@activity-gateway/pipeline/api';
import type { TlsIdentity } from '@activity-gateway/pipeline/host';
import { sleep } from '@activity-gateway/pipeline/helpers';
import { ExpiryWarnings } from './expiry-warning.js';
import type { FileWatch } from './file-watch.js';
import { KEY_CHANGE_HINT, keyChangeMessage, type KeyChange } from './key-change.js';
import type { ServerCertificate } from './server-certificate.js';

/** What the server's identity is made from. */
export interface ServerIdentityDependencies {
  readonly logger: Logger;
  /** Reads and checks the pair for the first time. */
  load(): Promise<ServerCertificate>;
  /** Reads and checks the pair anew; makes none. */
  reload(): Promise<ServerCertificate>;
  /** Gives reactors the certificate, for new connections. */
  use(identity: TlsIdentity): void;
  /** SPKI hash of the key that agents know this server by; `undefined` before the first start. Survives restarts. */
  knownKey(): Promise<string | undefined>;
  /** Stores the SPKI hash that `knownKey` gives from now on. */
  rememberKey(spkiHash: string): Promise<void>;
  /** Makes the watch over the files. */
  watch(changed: () => void): FileWatch;
  /** Called when the files have changed and there is no certificate yet. */
  filesChanged(): void;
}

/** A certificate and its key are two files: how long the second may take to follow the first, ms. */
const PAIR_MS = 1_000;
const HOUR_MS = 3_600_000;

/**
 * The server's certificate: loaded once, renewed whenever its files change, and watched for its expiry. Enrolled agents
 * pin the server's key, so another key is an emergency and no renewal: while the gateway runs, the old pair stays in use;
 * after a restart the new one is served. Both are reported until `confirmKey`.
 */
export class ServerIdentity {
  readonly #watch: FileWatch;
  readonly #warnings = new ExpiryWarnings();
  #current: ServerCertificate | undefined;
  /** The pair in the files, where it is not used because of its key. */
  #offered: ServerCertificate | undefined;
  /** SPKI hash that agents know. */
  #known: string | undefined;
  #problem: string | undefined;
  #stopped = new AbortController();
  #hourly: NodeJS.Timeout | undefined;
  /** Of several renewals under way, only the newest decides. */
  #renewal = 0;

  constructor(private readonly dependencies: ServerIdentityDependencies) {
    this.#watch = dependencies.watch(() => this.#changed());
  }

  /** The certificate in use. */
  get certificate(): ServerCertificate | undefined {
    return this.#current;
  }

  /** Why the files are not what is in use; for operators. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** The change of the server's key that waits for a confirmation, if one does. */
  get keyChange(): KeyChange | undefined {
    const to = this.#offered ?? this.#current;
    if (to === undefined || this.#known === undefined || to.spkiHash === this.#known) return undefined;
    return { from: this.#known, to: to.spkiHash, served: to === this.#current };
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
    if (this.#current !== undefined) return;
    const certificate = await this.dependencies.load();
    this.#known = await this.dependencies.knownKey();
    if (this.#known === undefined) await this.#remember(certificate);
    this.#take(certificate);
    this.#reportKeyChange();
  }

  /**
   * Accepts another key of the server: from now on new connections get it, and it is the one that is known.
   * @throws GatewayError `CERTIFICATE_UNCHANGED` when no other key waits for it
   */
  async confirmKey(): Promise<KeyChange> {
    const change = this.keyChange;
    const certificate = this.#offered ?? this.#current;
    if (change === undefined || certificate === undefined) {
      throw new GatewayError(
        'CERTIFICATE_UNCHANGED',
        'The server has the key that agents know; there is nothing to confirm.',
        'GET /api/v1/nam-listener/status shows the certificate in use.',
      );
    }
    await this.#remember(certificate);
    this.#offered = undefined;
    if (certificate !== this.#current) this.#take(certificate);
    this.dependencies.logger.warn(
      { ...change, served: true },
      'Server key confirmed; agents that pinned the old key must enroll again',
    );
    return change;
  }

  #changed(): void {
    if (this.#current === undefined) this.dependencies.filesChanged();
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
      return { certificate: await this.dependencies.reload() };
    } catch (error) {
      return { problem: reasonOf(error) };
    }
  }

  #keep(problem: string): void {
    this.#problem = problem;
    const notAfter = new Date(this.#current?.notAfter ?? 0);
    this.dependencies.logger.error(
      { reason: problem, notAfter },
      'The changed server certificate is not used',
    );
  }

  #replace(next: ServerCertificate): void {
    this.#problem = undefined;
    const reported = this.#offered;
    this.#offered = undefined;
    if (sameIdentity(this.#current, next)) return;
    if (next.spkiHash !== this.#current?.spkiHash && next.spkiHash !== this.#known) {
      this.#offered = next;
      if (reported?.spkiHash !== next.spkiHash) this.#reportKeyChange();
      return;
    }
    this.#take(next);
    const notAfter = new Date(next.notAfter);
    this.dependencies.logger.info({ notAfter }, 'Server certificate renewed: new connections get it');
  }

  async #remember({ spkiHash }: ServerCertificate): Promise<void> {
    await this.dependencies.rememberKey(spkiHash);
    this.#known = spkiHash;
  }

  #reportKeyChange(): void {
    const change = this.keyChange;
    if (change === undefined) return;
    this.dependencies.logger.error({ ...change, hint: KEY_CHANGE_HINT }, keyChangeMessage(change));
  }

  #take(certificate: ServerCertificate): void {
    this.#current = certificate;
    this.dependencies.use(certificate.identity);
    this.#warnOfExpiry();
  }

  #warnOfExpiry(): void {
    const warning = this.#current && this.#warnings.due(this.#current.notAfter, Date.now());
    if (warning !== undefined) this.dependencies.logger.warn({ days: warning.days }, warning.message);
  }
}

function sameIdentity(one: ServerCertificate | undefined, { identity }: ServerCertificate): boolean {
  return one?.identity.cert === identity.cert && one.identity.key === identity.key;
}

/** What is wrong, in one line for operators. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof GatewayError && error.hint !== undefined
    ? `${error.message} ${error.hint}`
    : error.message;
}
