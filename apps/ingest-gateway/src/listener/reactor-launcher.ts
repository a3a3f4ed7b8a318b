import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { REACTOR_ENTRY } from '../entry-points.js';
import type { FromReactor } from '../reactor/messages.js';
import { reactorOpensslOptions } from './reactor-openssl.js';

/** A reactor's child process. What it says is kept until somebody listens. */
export class ForkedReactor {
  readonly child: ChildProcess;
  readonly #early: FromReactor[] = [];
  readonly #keep = (message: unknown): void => void this.#early.push(message as FromReactor);

  /** @param options options of Node beside those of this process */
  constructor(entry: string, options: readonly string[]) {
    // Logs go straight to this process's output; standard input is nobody's.
    this.child = fork(entry, [], {
      execArgv: [...process.execArgv, ...options],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.child.on('message', this.#keep);
    // Who listens hears of it by a listener of its own.
    this.child.on('error', () => undefined);
  }

  /** Whether it runs and can be talked to. */
  get alive(): boolean {
    return !this.#ended && this.child.connected;
  }

  get #ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Gives all that it has said and will say, never within this call; to be called once. */
  listen(receive: (message: FromReactor) => void): void {
    setImmediate(() => {
      this.child.off('message', this.#keep);
      this.child.on('message', (message) => receive(message as FromReactor));
      for (const message of this.#early.splice(0)) receive(message);
    });
  }

  /** Ends it; resolves when it is gone. Does not reject. */
  async end(): Promise<void> {
    if (this.child.pid === undefined || this.#ended) return;
    const gone = once(this.child, 'exit').catch(() => undefined);
    this.child.kill('SIGKILL');
    await gone;
  }
}

/**
 * Starts the child processes of reactors. One can be started before it is known what it has to do: to load its modules
 * takes it as long as the control plane takes to come up (the listener is there after 1.1 s instead of 1.4 s).
 */
export class ReactorLauncher {
  #spare: Promise<ForkedReactor> | undefined;
  #closed = false;

  /**
   * @param dataDir where the reactors' OpenSSL configuration is written
   * @param entry   module that they run; for tests
   */
  constructor(
    private readonly dataDir: string,
    private readonly entry = REACTOR_ENTRY,
  ) {}

  /** Starts one, which the next `fork` gives. Does not throw: if it fails, `fork` starts another and tells why. */
  prepare(): void {
    if (this.#spare !== undefined || this.#closed) return;
    this.#spare = this.#start();
    this.#spare.catch(() => undefined);
  }

  /**
   * The one that is prepared, if it still runs, or a new one.
   * @throws Error when the OpenSSL configuration cannot be written
   */
  async fork(): Promise<ForkedReactor> {
    const spare = await this.#takeSpare();
    return spare?.alive === true ? spare : this.#start();
  }

  /** Ends what was prepared and not taken. Does not reject. */
  async close(): Promise<void> {
    this.#closed = true;
    await (await this.#takeSpare())?.end();
  }

  async #takeSpare(): Promise<ForkedReactor | undefined> {
    const spare = this.#spare;
    this.#spare = undefined;
    return spare?.catch(() => undefined);
  }

  async #start(): Promise<ForkedReactor> {
    return new ForkedReactor(this.entry, await reactorOpensslOptions(this.dataDir));
  }
}
