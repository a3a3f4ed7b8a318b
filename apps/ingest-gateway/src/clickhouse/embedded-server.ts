import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { GatewayError } from '@activity-gateway/pipeline/api';
import { sleep } from '@activity-gateway/pipeline/helpers';
import { makePrivateDirectory, writePrivateFile } from '../private-files.js';
import { EMBEDDED_CHILD_PROGRAM, embeddedServerQuery, PORT_FILE } from './embedded-child.js';
import {
  authorizationOf,
  CONFIG_FILE,
  embeddedConfig,
  embeddedOptions,
  FILES_DIRECTORY,
  USERS_FILE,
} from './embedded-config.js';
import { confinementChecks, confinementOf, LOADED_FILE } from './embedded-confinement.js';
import { embeddedFailure } from './embedded-failure.js';
import { findEmbeddedLibrary } from './embedded-library.js';
import { createGatewayUser, type Credentials, embeddedUsers } from './embedded-users.js';

/** Kept of what the server says on standard error, characters: it says why it ended in its last lines. */
const MAX_MESSAGE = 8_000;
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 10;
/** How long a server may take to end by itself before it is killed from here, ms. */
const STOP_TIMEOUT_MS = 2_000;

/** A running embedded server. */
export interface EmbeddedServer {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  /** The only user who is answered; its password is another one at each start. */
  readonly user: Credentials;
  /** Resolves when the process has ended, with the reason for people. */
  readonly exited: Promise<GatewayError>;
  /** Ends it: nothing that it has acknowledged is lost. Safe twice. */
  stop(): Promise<void>;
}

/** Where and how an embedded server runs. */
export interface EmbeddedServerOptions {
  /** Everything it writes: `data`, `run` (its working directory), its configuration and its log. */
  readonly directory: string;
  /** 0 = any free one. */
  readonly port: number;
  /** The only one that the gateway may use. */
  readonly database: string;
  /** A user for people's own queries, who may only read the database. */
  readonly reader?: Credentials | undefined;
}

/**
 * Starts ClickHouse in a process of its own and resolves once it answers, usually within half a second.
 * @throws GatewayError with the reason: the port or the directory is in use, the packages are missing ...
 */
export async function startEmbeddedServer(
  options: EmbeddedServerOptions,
  signal?: AbortSignal,
): Promise<EmbeddedServer> {
  const { ffi, library } = findEmbeddedLibrary();
  const { directory } = options;
  const workingDirectory = join(directory, 'run');
  const own = [directory, workingDirectory, join(directory, 'data'), join(directory, FILES_DIRECTORY)];
  for (const each of own) await makePrivateDirectory(each);
  const users = { gateway: createGatewayUser(), reader: options.reader };
  await writePrivateFile(join(directory, USERS_FILE), embeddedUsers(options.database, users));
  await writePrivateFile(join(directory, CONFIG_FILE), embeddedConfig(directory, users));
  const confinement = options.reader === undefined ? null : confinementOf(directory);
  const checks = confinement === null ? [] : confinementChecks(confinement, ffi);
  const portFile = join(workingDirectory, PORT_FILE);
  await Promise.all([portFile, join(workingDirectory, LOADED_FILE)].map((each) => rm(each, { force: true })));
  const server = new EmbeddedProcess(
    spawn(
      process.execPath,
      [
        ...['-e', EMBEDDED_CHILD_PROGRAM, ffi, library, JSON.stringify(confinement)],
        ...embeddedOptions(directory, options.port, embeddedServerQuery(checks)),
      ],
      // A process group of its own: Ctrl-C in a terminal reaches the gateway alone, which needs the server to drain.
      { cwd: workingDirectory, detached: true, stdio: ['pipe', 'ignore', 'pipe'], env: environment() },
    ),
    users.gateway,
    options,
  );
  try {
    await server.listening(portFile, signal);
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

class EmbeddedProcess implements EmbeddedServer {
  readonly exited: Promise<GatewayError>;
  port = 0;
  #message = '';
  #failure: GatewayError | undefined;
  #stopping: Promise<void> | undefined;

  constructor(
    private readonly child: ChildProcess,
    readonly user: Credentials,
    private readonly options: EmbeddedServerOptions,
  ) {
    // A write to a process that has just died must not end the gateway.
    child.stdin?.on('error', () => undefined);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#message = (this.#message + text).slice(-MAX_MESSAGE);
    });
    this.exited = new Promise((resolve) => {
      const ended = (cause: unknown): void => {
        this.#failure = embeddedFailure(this.#message, this.options, cause);
        resolve(this.#failure);
      };
      child.once('error', ended);
      child.once('close', (code, signal) => ended(signal ?? code));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The port file is written by this very process after it has bound the port: another server cannot answer for it. */
  async listening(portFile: string, signal: AbortSignal | undefined): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (this.#failure === undefined) {
      if (signal?.aborted === true) throw new GatewayError('CLICKHOUSE_STOPPED', 'The start was given up.');
      if (this.port === 0) this.port = await readPort(portFile);
      if (this.port !== 0 && (await answers(this.url, this.user))) return;
      if (Date.now() > deadline) {
        throw new GatewayError(
          'CLICKHOUSE_EMBEDDED_SLOW',
          `The embedded ClickHouse did not answer within ${START_TIMEOUT_MS / 1000} s.`,
        );
      }
      await sleep(POLL_MS);
    }
    throw this.#failure;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    if (this.#failure !== undefined) return;
    this.child.stdin?.end();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.exited;
    clearTimeout(timer);
  }
}

async function readPort(file: string): Promise<number> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.endsWith('\n') ? Number(text) : 0;
}

/**
 * Whether the server says yes to its user, over a connection of its own. Not by `fetch`, whose first call loads its
 * module: 80 ms of the gateway's start.
 */
async function answers(url: string, user: Credentials): Promise<boolean> {
  try {
    const headers = { authorization: authorizationOf(user) };
    const asked = request(`${url}/ping`, { headers, agent: false, signal: AbortSignal.timeout(2_000) }).end();
    // Errors after the response say nothing more.
    asked.on('error', () => undefined);
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    response.resume();
    return response.statusCode === 200;
  } catch {
    return false;
  }
}

/** The server needs none of the gateway's settings and secrets. */
function environment(): NodeJS.ProcessEnv {
  const { PATH, HOME, LANG, TZ, TMPDIR, LD_LIBRARY_PATH, DYLD_LIBRARY_PATH } = process.env;
  return { PATH, HOME, LANG, TZ, TMPDIR, LD_LIBRARY_PATH, DYLD_LIBRARY_PATH };
}
