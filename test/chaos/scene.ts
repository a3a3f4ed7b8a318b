import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestCertificate } from '@activity-gateway/activity/testing';
import { sleep } from '@activity-gateway/pipeline/helpers';
import { AckAgent, type Resend } from '../support/ack-agent.js';
import { configWithRequestTimeout } from '../support/gateway-config.js';
import { freePort, startGateway, type TestGateway } from '../support/gateway.js';
import { MovedClock } from '../support/moved-clock.js';
import { pollUntil } from '../support/poll.js';
import { childrenOf } from '../support/processes.js';
import { enrollRaw } from '../support/raw-agent.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { judge, type Copies, type Verdict } from './verdict.js';

/**
 * What the suite kills. `reactor`: all of them. `control`: the process that started them, which orphans them. `gateway`:
 * all of these at once. `clickhouse`: the embedded one.
 */
export type Victim = 'reactor' | 'control' | 'gateway' | 'clickhouse';

export interface SceneOptions {
  /** What each agent does with what was not acknowledged; one of each kind by default, and two numbered ones. */
  readonly agents?: readonly Resend[];
  readonly perSecond?: number;
  /** Bytes that make each event larger. */
  readonly padding?: number;
  readonly env?: NodeJS.ProcessEnv;
  /** Tells the events of this scene from others in the same ClickHouse. */
  readonly host?: string;
  /** An empty directory for the gateway's data; a new one by default. */
  readonly dataDir?: string;
  /** The sink's `request_timeout`, with its unit; the program's default without. */
  readonly requestTimeout?: string;
}

const AGENTS: readonly Resend[] = ['never', 'always', 'numbered', 'numbered'];
/** How long everything may take to be written when nothing is done to it any more, ms. */
const SETTLE_MS = 180_000;

/** A gateway with its ClickHouse and acknowledging agents, all real, whose parts can be killed. */
export class Scene {
  readonly agents: AckAgent[] = [];
  /** What the gateways before this one have logged. */
  #formerLogs = '';
  #running: Promise<void>[] = [];

  private constructor(
    public gateway: TestGateway,
    /** Between agents and gateway. */
    readonly network: TcpProxy,
    /** That of the gateway's processes. */
    readonly clock: MovedClock,
    private readonly directory: string,
    private readonly env: NodeJS.ProcessEnv,
    private readonly host: string,
  ) {}

  static async start(options: SceneOptions = {}): Promise<Scene> {
    const port = await freePort();
    const directory = await mkdtemp(join(tmpdir(), 'gateway-chaos-'));
    const clock = new MovedClock(directory);
    const env = {
      ACTIVITYMONITOR_TCP_PORT: String(port),
      ACTIVITYMONITOR_BATCH_INTERVAL_SECONDS: '1',
      ACTIVITYMONITOR_SHUTDOWN_DRAIN_TIMEOUT_SECONDS: '10',
      ...clock.env,
      ...(options.requestTimeout !== undefined && {
        GATEWAY_CONFIG: await configWithRequestTimeout(directory, options.requestTimeout),
      }),
      ...options.env,
    };
    const network = await TcpProxy.start(port);
    network.open();
    try {
      const gateway = await startGateway({ dataDir: options.dataDir ?? join(directory, 'data'), env });
      const scene = new Scene(gateway, network, clock, directory, env, options.host ?? 'CHAOS');
      await scene.#enrollAgents(options);
      scene.#running = scene.agents.map((agent) => agent.run());
      return scene;
    } catch (error) {
      await network.close();
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** Everything that the gateway has logged, over all starts. */
  log(): string {
    return this.#formerLogs + this.gateway.log();
  }

  /** Ids of the reactors that run now, the lobby included. */
  async reactors(): Promise<number[]> {
    const { reactors, lobby } = (await this.gateway.status()).listener;
    return [...reactors, ...(lobby ? [lobby] : [])].map(({ pid }) => pid).filter((pid) => pid > 0);
  }

  /** Kills a part with SIGKILL; a gateway is started again as its operator would. */
  async kill(victim: Victim): Promise<void> {
    for (const pid of await this.processesOf(victim)) killIfThere(pid);
    if (victim === 'gateway' || victim === 'control') await this.startAgain();
  }

  /** Ids of the processes that a part is now. */
  async processesOf(victim: Victim): Promise<number[]> {
    const { pid } = this.gateway;
    if (victim === 'control') return [pid];
    const reactors = await pollUntil(
      'a reactor',
      () => this.reactors(),
      ({ length }) => length > 0,
    );
    if (victim === 'reactor') return reactors;
    if (victim === 'gateway') return [pid, ...reactors];
    return childrenOf(pid).filter((child) => !reactors.includes(child));
  }

  /** Starts the gateway again on its data once its process has ended, however long what it held takes to come free. */
  async startAgain(): Promise<void> {
    await this.gateway.exited;
    this.#formerLogs += this.gateway.log();
    this.gateway = await pollUntil('the gateway to start again', () => this.startAnother(), Boolean, 60_000);
  }

  /** Starts a gateway on the same data directory, whatever runs there. @throws Error with its log when it ends */
  startAnother(): Promise<TestGateway> {
    const { dataDir } = this.gateway;
    return startGateway({ dataDir, env: this.env, keepData: true, waitReady: false });
  }

  /** Resolves when the agents have so many more events acknowledged than now. */
  async untilAcknowledged(more: number): Promise<void> {
    const count = (): number => this.agents.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);
    const before = count();
    await pollUntil(`${more} further events to be acknowledged`, () => count() >= before + more);
  }

  /** Stops the agents, waits until nothing is on its way any more, and compares. */
  async finish(): Promise<Verdict> {
    for (const agent of this.agents) agent.stop();
    await Promise.all(this.#running);
    await this.#settled();
    return judge(this.agents, (agent) => this.#copies(agent));
  }

  async dispose(): Promise<void> {
    for (const agent of this.agents) agent.abandon();
    await this.gateway.dispose();
    await this.network.close();
    await Promise.all(this.#running);
    await rm(this.directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  async #enrollAgents({ agents = AGENTS, perSecond = 500, padding = 0 }: SceneOptions): Promise<void> {
    const token = await this.gateway.token();
    const port = (): number => this.network.port;
    for (const [i, resend] of agents.entries()) {
      const name = `${this.host}-${i}`;
      const credentials = await createTestCertificate({ commonName: name });
      await enrollRaw(port(), credentials, token, name);
      this.agents.push(
        new AckAgent({ name, host: this.host, port, credentials, resend, perSecond, padding }),
      );
    }
  }

  async #copies({ name }: AckAgent): Promise<Copies> {
    const rows = await this.gateway.sql<{ id: string; n: string }>(
      `SELECT splitByChar('/', path)[2] AS id, count() AS n FROM activity.file_events
       WHERE host = '${this.host}' AND startsWith(path, '${name}/') GROUP BY id`,
    );
    return new Map(rows.map(({ id, n }) => [Number(id), Number(n)]));
  }

  /** Nothing in flight in any pipeline, and nothing queued, twice in a row. */
  async #settled(): Promise<void> {
    const quiet = async (): Promise<boolean> => {
      const { pipelines, listener } = await this.gateway.status();
      const { reactors, lobby } = listener;
      return (
        reactors.length > 0 &&
        (lobby === undefined || lobby.state === 'ready') &&
        reactors.every(({ state }) => state === 'ready') &&
        pipelines.length > 0 &&
        pipelines.every(
          ({ counts, queue }) =>
            counts.inFlight === 0 && queue.entries === 0 && (queue.spool?.adopted ?? 0) === 0,
        )
      );
    };
    await pollUntil(
      'everything to be written',
      async () => {
        const first = await quiet();
        // Reactors report once a second: the second look sees what each of them said after the first.
        if (first) await sleep(1500);
        return first && (await quiet());
      },
      Boolean,
      SETTLE_MS,
    );
  }
}

/** SIGKILL, to a process that may have ended meanwhile. */
export function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself meanwhile.
  }
}
