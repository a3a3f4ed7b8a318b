import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { letTestsIn, TEST_AUTHORIZATION } from './open-clickhouse.js';
import { pollUntil } from './poll.js';
import { commandOf } from './processes.js';

/** The built program, as users run it. */
export const PROGRAM = resolve('dist/gateway/main.js');

/** What tests read of `GET /api/v1/nam-listener/status`. */
export interface GatewayStatus {
  readonly pid: number;
  readonly gateway: { readonly id: string };
  readonly listener: {
    readonly state: string;
    readonly reason?: string;
    readonly port: number;
    readonly refusedPort?: { readonly port: number; readonly reason: string };
    readonly connections: number;
    readonly unidentifiedConnections: number;
    readonly bans: readonly {
      readonly ip: string;
      readonly reason: string;
      readonly effect: 'ban' | 'slow';
    }[];
    readonly limitsReached: readonly { readonly limit: string; readonly max: number }[];
    readonly rejected: Readonly<Record<'banned' | 'rate' | 'slowed' | 'limit' | 'unidentified', number>>;
    readonly maxConnections: number;
    readonly certificate: {
      readonly spkiHash: string;
      readonly problem?: string;
      readonly keyChange?: { readonly from: string; readonly to: string; readonly served: boolean };
    };
    readonly lobby?: {
      readonly pid: number;
      readonly state: string;
      readonly restarts: number;
      readonly connections: number;
    };
    readonly reactors: readonly {
      readonly index: number;
      readonly pid: number;
      readonly state: string;
      readonly restarts: number;
      readonly connections: number;
      readonly rssBytes: number;
    }[];
  };
  readonly pipelines: readonly {
    readonly instances: readonly { readonly id: string; readonly state: string; readonly reason?: string }[];
    readonly counts: {
      readonly received: number;
      readonly delivered: number;
      readonly deadLettered: number;
      readonly dropped: number;
      readonly inFlight: number;
    };
    readonly queue: {
      readonly entries: number;
      readonly rows: number;
      readonly spool?: {
        readonly entries: number;
        readonly bytes: number;
        readonly full: number;
        readonly adopted: number;
      };
    };
    readonly backPressure: boolean;
  }[];
  readonly clickhouse: { readonly url: string };
  readonly settings: Readonly<Record<string, number | boolean>>;
}

/** An answer of the REST API. */
export interface RestAnswer<T> {
  readonly status: number;
  readonly body: T;
  readonly headers: Headers;
}

/** A gateway as a user runs it: the built program in a process of its own. */
export interface TestGateway {
  /** Of the gateway itself, whatever has launched it. */
  readonly pid: number;
  readonly dataDir: string;
  readonly httpUrl: string;
  readonly adminKey: string;
  /** Everything it has logged so far. */
  log(): string;
  /** Sends a request with the admin key; `body` becomes JSON. */
  rest<T = unknown>(method: string, path: string, body?: unknown): Promise<RestAnswer<T>>;
  /** `GET /api/v1/nam-listener/status`. */
  status(): Promise<GatewayStatus>;
  /** A new enrollment token. */
  token(): Promise<string>;
  agentPort(): Promise<number>;
  /** Asks the embedded ClickHouse over its own HTTP port, as a user of the tests who may do everything. */
  sql<T = Record<string, unknown>>(query: string): Promise<T[]>;
  /** SIGTERM to what was launched, and waits for its end; gives the exit code. */
  stop(): Promise<number | null>;
  /** Sends a signal to what was launched. */
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the exit code when what was launched has ended. */
  readonly exited: Promise<number | null>;
  /** Stops it if it runs, and removes its data. */
  dispose(): Promise<void>;
}

export interface TestGatewayOptions {
  /** Reuses a directory, for tests of restarts; `dispose` removes it all the same. */
  readonly dataDir?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Leaves the data directory when the start fails. */
  readonly keepData?: boolean;
  /** Waits until agents and ClickHouse are served; on by default. */
  readonly waitReady?: boolean;
  /** What starts the program: Node.js itself by default, `npm start`, or a terminal that closes when it is killed (Linux). */
  readonly launcher?: 'npm' | 'terminal';
  /** User and group to run as; only root may choose one. What is in the data directory by then is given to them. */
  readonly as?: { readonly uid: number; readonly gid: number };
}

const COMMAND = [process.execPath, '--enable-source-maps', PROGRAM, 'run'] as const;

function launchCommand(launcher: TestGatewayOptions['launcher']): readonly [string, ...string[]] {
  if (launcher === 'npm') return ['npm', 'start'];
  if (launcher === 'terminal') return ['script', '-q', '-c', `exec '${COMMAND.join("' '")}'`, '/dev/null'];
  return COMMAND;
}

/** Starts the built gateway on ports that the system chooses, with an empty data directory. */
export async function startGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'gateway-e2e-')));
  const clickhouse = join(dataDir, 'clickhouse');
  await letTestsIn(clickhouse);
  if (options.as !== undefined) await giveTo(options.as, clickhouse);
  const httpPort = await freePort();
  const [program, ...args] = launchCommand(options.launcher);
  const child = spawn(program, args, {
    env: {
      ...process.env,
      GATEWAY_DATA_DIR: dataDir,
      GATEWAY_HTTP_PORT: String(httpPort),
      ACTIVITYMONITOR_TCP_PORT: '0',
      CLICKHOUSE_HTTP_PORT: '0',
      GATEWAY_LOG_LEVEL: 'info',
      NODE_OPTIONS: '',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options.as,
  });
  const gateway = new GatewayProcess(
    child,
    dataDir,
    `http://127.0.0.1:${httpPort}`,
    options.env?.['ADMIN_API_KEY'],
  );
  try {
    await gateway.waitUp(options.waitReady ?? true);
  } catch (error) {
    if (options.keepData) await gateway.stop();
    else await gateway.dispose();
    throw new Error(`${(error as Error).message}\n--- log of the gateway\n${gateway.log().slice(-4000)}`, {
      cause: error,
    });
  }
  return gateway;
}

async function giveTo({ uid, gid }: { uid: number; gid: number }, directory: string): Promise<void> {
  const names = await readdir(directory, { recursive: true });
  for (const name of ['.', ...names]) await chown(join(directory, name), uid, gid);
}

class GatewayProcess implements TestGateway {
  readonly exited: Promise<number | null>;
  adminKey = '';
  #pid: number | undefined;
  #log = '';

  constructor(
    private readonly child: ChildProcess,
    readonly dataDir: string,
    readonly httpUrl: string,
    private readonly givenKey: string | undefined,
  ) {
    const collect = (chunk: Buffer): void => {
      this.#log += chunk.toString();
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    this.exited = once(child, 'exit').then(([code]) => code as number | null);
  }

  get pid(): number {
    return this.#pid ?? this.child.pid ?? -1;
  }

  log(): string {
    return this.#log;
  }

  async waitUp(ready: boolean): Promise<void> {
    await pollUntil(
      'REST to answer',
      async () => this.#ended || (await fetch(`${this.httpUrl}/health/live`)).status === 200,
    );
    this.#failIfEnded();
    this.#pid = Number(await readFile(join(this.dataDir, 'run', 'gateway.pid'), 'utf8'));
    this.adminKey = this.givenKey ?? (await readFile(join(this.dataDir, 'admin.key'), 'utf8')).trim();
    if (!ready) return;
    await pollUntil(
      'agents and ClickHouse to be served',
      async () => {
        if (this.#ended) return undefined;
        const response = await fetch(`${this.httpUrl}/health/ready`);
        return { code: response.status, body: (await response.json()) as { status: string } };
      },
      (answer) => answer === undefined || (answer.code === 200 && answer.body.status === 'ok'),
    );
    this.#failIfEnded();
  }

  async rest<T = unknown>(method: string, path: string, body?: unknown): Promise<RestAnswer<T>> {
    const response = await fetch(`${this.httpUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.adminKey}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = (response.headers.get('content-type') ?? '').includes('json');
    return {
      status: response.status,
      body: (json ? JSON.parse(text) : text) as T,
      headers: response.headers,
    };
  }

  async status(): Promise<GatewayStatus> {
    return (await this.rest<GatewayStatus>('GET', '/api/v1/nam-listener/status')).body;
  }

  async token(): Promise<string> {
    const { status, body } = await this.rest<{ token: string }>(
      'POST',
      '/api/v1/nam-listener/enrollment-token',
    );
    if (status !== 201) throw new Error(`No token: ${status} ${JSON.stringify(body)}`);
    return body.token;
  }

  async agentPort(): Promise<number> {
    return (await this.status()).listener.port;
  }

  async sql<T = Record<string, unknown>>(query: string): Promise<T[]> {
    const url = (await this.status()).clickhouse.url;
    const response = await fetch(url, {
      method: 'POST',
      body: `${query} FORMAT JSONEachRow`,
      headers: { authorization: TEST_AUTHORIZATION },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as T);
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async stop(): Promise<number | null> {
    this.child.kill('SIGTERM');
    return this.exited;
  }

  async dispose(): Promise<void> {
    if (!this.#ended) {
      this.child.kill('SIGTERM');
      const timer = setTimeout(() => this.child.kill('SIGKILL'), 20_000);
      await this.exited;
      clearTimeout(timer);
    }
    this.#endOrphan();
    await rm(this.dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  /** A gateway that outlives what launched it would keep the test runner from ending. */
  #endOrphan(): void {
    if (this.pid === this.child.pid || !commandOf(this.pid).includes('main.js run')) return;
    process.kill(this.pid, 'SIGKILL');
  }

  get #ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  #failIfEnded(): void {
    if (this.#ended) {
      throw new Error(`The gateway ended with ${this.child.exitCode ?? this.child.signalCode}`);
    }
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
