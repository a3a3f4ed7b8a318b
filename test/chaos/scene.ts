import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestCertificate } from '@app/pipeline/testing';
import { sleep } from '@app/pipeline/helpers';
import { AckAgent, type Resend } from '../support/ack-agent.js';
import { freePort, startGateway, type TestGateway } from '../support/gateway.js';
import { pollUntil } from '../support/poll.js';
import { childrenOf } from '../support/processes.js';
import { enrollRaw } from '../support/raw-agent.js';

/** What the suite kills. */
export type Victim = 'reactor' | 'gateway' | 'clickhouse';

/** What was found at the end. */
export interface Verdict {
  readonly sent: number;
  readonly acknowledged: number;
  /** Acknowledged events that are not in ClickHouse. */
  readonly lost: string[];
  /** Events that are there more than once, though they were handed over once. */
  readonly duplicates: string[];
  /** Events that are there more than once after they were handed over more than once. */
  readonly resentDuplicates: number;
}

export interface SceneOptions {
  readonly agents?: number;
  readonly resend?: Resend;
  readonly perSecond?: number;
  readonly env?: NodeJS.ProcessEnv;
}

const COUNT_BY_EVENT =
  "SELECT path, count() AS n FROM activity.file_events WHERE host = 'CHAOS' GROUP BY path";

/** A gateway with its ClickHouse and acknowledging agents, all real, whose parts can be killed. */
export class Scene {
  readonly agents: AckAgent[] = [];
  #running: Promise<void>[] = [];

  private constructor(
    public gateway: TestGateway,
    private readonly port: number,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  static async start(options: SceneOptions = {}): Promise<Scene> {
    const port = await freePort();
    const env = {
      ACTIVITYMONITOR_TCP_PORT: String(port),
      ACTIVITYMONITOR_BATCH_INTERVAL_SECONDS: '1',
      ACTIVITYMONITOR_SHUTDOWN_DRAIN_TIMEOUT_SECONDS: '10',
      ...options.env,
    };
    const dataDir = await mkdtemp(join(tmpdir(), 'gateway-chaos-'));
    const scene = new Scene(await startGateway({ dataDir, env }), port, env);
    const token = await scene.gateway.token();
    for (let i = 0; i < (options.agents ?? 4); i += 1) {
      const name = `CHAOS-${i}`;
      const credentials = await createTestCertificate({ commonName: name });
      await enrollRaw(port, credentials, token, name);
      const rate = options.perSecond ?? 1000;
      scene.agents.push(new AckAgent(name, () => port, credentials, options.resend ?? 'never', rate));
    }
    scene.#running = scene.agents.map((agent) => agent.run());
    return scene;
  }

  /** Kills a part with SIGKILL; a gateway is started again as its operator would. */
  async kill(victim: Victim): Promise<void> {
    if (victim === 'gateway') {
      const { dataDir } = this.gateway;
      this.gateway.kill('SIGKILL');
      await this.gateway.exited;
      await this.#restart(dataDir);
      return;
    }
    const reactors = (await this.gateway.status()).listener.reactors.map(({ pid }) => pid);
    const pids =
      victim === 'reactor' ? reactors : childrenOf(this.gateway.pid).filter((pid) => !reactors.includes(pid));
    for (const pid of pids) killIfThere(pid);
  }

  /** Stops the agents, waits until nothing is on its way any more, and compares. */
  async finish(): Promise<Verdict> {
    for (const agent of this.agents) agent.stop();
    await Promise.all(this.#running);
    await this.#settled();
    const counts = new Map<string, number>();
    for (const { path, n } of await this.gateway.sql<{ path: string; n: string }>(COUNT_BY_EVENT)) {
      counts.set(path, Number(n));
    }
    return this.#judge(counts);
  }

  async dispose(): Promise<void> {
    for (const agent of this.agents) agent.stop();
    await this.gateway.dispose();
    await Promise.all(this.#running);
  }

  #judge(counts: ReadonlyMap<string, number>): Verdict {
    const lost: string[] = [];
    const duplicates: string[] = [];
    let resentDuplicates = 0;
    for (const agent of this.agents) {
      for (const id of agent.acknowledged) {
        if (!counts.has(`${agent.name}/${id}`)) lost.push(`${agent.name}/${id}`);
      }
      for (let id = 0; id < agent.sent; id += 1) {
        if ((counts.get(`${agent.name}/${id}`) ?? 0) < 2) continue;
        if (agent.resent.has(id)) resentDuplicates += 1;
        else duplicates.push(`${agent.name}/${id}`);
      }
    }
    const sum = (each: (agent: AckAgent) => number): number =>
      this.agents.reduce((total, agent) => total + each(agent), 0);
    return {
      sent: sum((agent) => agent.sent),
      acknowledged: sum((agent) => agent.acknowledged.size),
      lost,
      duplicates,
      resentDuplicates,
    };
  }

  /** Nothing in flight in any pipeline, and nothing queued, twice in a row. */
  async #settled(): Promise<void> {
    const quiet = async (): Promise<boolean> => {
      const { pipelines, listener } = await this.gateway.status();
      const ready = listener.reactors.every(({ state }) => state === 'ready');
      return ready && pipelines.every(({ counts, queue }) => counts.inFlight === 0 && queue.entries === 0);
    };
    await pollUntil(
      'everything to be written',
      async () => {
        const first = await quiet();
        await sleep(1500);
        return first && (await quiet());
      },
      Boolean,
      120_000,
    );
  }

  /** The lock of the one that was killed, or its ClickHouse, may take a moment to go. */
  async #restart(dataDir: string): Promise<void> {
    this.gateway = await pollUntil(
      'the gateway to start again',
      () => startGateway({ dataDir, env: this.env, keepData: true }),
      Boolean,
      60_000,
    );
  }

  /** The port that agents connect to; the same over restarts. */
  get agentPort(): number {
    return this.port;
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself meanwhile.
  }
}
