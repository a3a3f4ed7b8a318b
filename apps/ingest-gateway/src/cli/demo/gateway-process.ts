import { GatewayError } from '@activity-gateway/pipeline/api';
import { sleep } from '@activity-gateway/pipeline/helpers';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** Which gateway to start. */
export interface GatewayProcessOptions {
  /** Arguments for Node.js: its own, the program and the program's. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly dataDir: string;
  /** Where its output goes. */
  readonly logFile: string;
}

const KEPT_LINES = 20;
/** The end of the child's output, after its exit: it should come at once. */
const LAST_OUTPUT_MS = 1_000;

/** A gateway that runs as a process of its own, as in real use. It ends with this process, also on a crash of it. */
export class GatewayProcess {
  readonly #child: ChildProcess;
  readonly #lastLines: string[] = [];
  readonly #exited: Promise<void>;
  readonly #killWithParent = (): void => void this.#child.kill('SIGKILL');
  #stopping = false;

  private constructor(options: GatewayProcessOptions) {
    const log = createWriteStream(options.logFile, { mode: 0o600 });
    log.on('error', () => undefined);
    this.#child = spawn(process.execPath, options.args, {
      env: options.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: Ctrl-C comes to it only once, from here, when there is nothing more to send.
      detached: true,
    });
    process.on('exit', this.#killWithParent);
    const output = [this.#child.stdout, this.#child.stderr].map((stream) => this.#keepLines(stream, log));
    this.#exited = this.#watch(output).finally(() => log.end());
  }

  /** Starts it; whether it works is for its health check to say. */
  static async start(options: GatewayProcessOptions): Promise<GatewayProcess> {
    await mkdir(options.dataDir, { recursive: true });
    return new GatewayProcess(options);
  }

  /** Rejects when the gateway ends without having been asked to, with its last lines; else never settles. */
  async died(): Promise<never> {
    await this.#exited;
    if (this.#stopping) return new Promise(() => undefined);
    const { exitCode, signalCode } = this.#child;
    const how = signalCode === null ? `with exit code ${exitCode}` : `by ${signalCode}`;
    const lines = this.#lastLines.map((line) => `\n  ${line.slice(0, 500)}`).join('');
    throw new GatewayError('DEMO_GATEWAY_ENDED', `The gateway ended ${how}. Its last lines:${lines}\n`);
  }

  /** Lets it drain and end; kills it when the signal aborts. Resolves when it is gone. Safe twice. */
  async stop(abort: AbortSignal): Promise<void> {
    this.#stopping = true;
    const kill = (): void => void this.#child.kill('SIGKILL');
    abort.addEventListener('abort', kill, { once: true });
    if (abort.aborted) kill();
    else this.#child.kill('SIGTERM');
    await this.#exited;
    abort.removeEventListener('abort', kill);
  }

  async #watch(output: readonly Promise<void>[]): Promise<void> {
    try {
      await once(this.#child, 'exit');
    } catch (error) {
      this.#lastLines.push((error as Error).message);
    }
    process.off('exit', this.#killWithParent);
    await Promise.race([Promise.all(output), sleep(LAST_OUTPUT_MS)]);
  }

  async #keepLines(stream: Readable | null, log: Writable): Promise<void> {
    if (stream === null) return;
    for await (const line of createInterface({ input: stream })) {
      log.write(`${line}\n`);
      this.#lastLines.push(line);
      if (this.#lastLines.length > KEPT_LINES) this.#lastLines.shift();
    }
  }
}
