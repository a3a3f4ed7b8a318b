import type { AgentIdentity } from '@activity-gateway/agent';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pollUntil } from '../../support/poll.js';
import { startGateway, type GatewayStatus, type TestGateway } from '../../support/gateway.js';
import { enrollRaw } from '../../support/raw-agent.js';
import { filesOf, writeConfig, type SinkName } from './gateway-config.js';
import { agentName } from './identities.js';
import { countFiles, countTables } from './stored-events.js';
import { descendants } from './proc.js';
import type { ProcessGroups, Target } from './target.js';

const SETTLE_MS = 180_000;
/** A question for the status costs the gateway 2 to 5 ms: every 50 ms they would be some hundredths of what is measured. */
const ASK_MS = 250;

/** How the gateway of a scenario runs; all else is as shipped. */
export interface GatewayPlan {
  readonly sink: SinkName;
  readonly spool: boolean;
  readonly reactors: number;
  /** Further settings and variables. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts the built gateway with an empty data directory and enrolls the agents. */
export async function startGatewayTarget(
  plan: GatewayPlan,
  agents: readonly AgentIdentity[],
): Promise<GatewayTarget> {
  const folder = await mkdtemp(join(tmpdir(), 'gateway-bench-'));
  let gateway: TestGateway | undefined;
  try {
    gateway = await startGateway({ env: await environment(plan, folder, agents.length) });
    const target = new GatewayTarget(gateway, plan, folder, await gateway.agentPort(), agents);
    await target.enroll();
    return target;
  } catch (error) {
    await gateway?.dispose();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function environment(plan: GatewayPlan, folder: string, agents: number): Promise<NodeJS.ProcessEnv> {
  return {
    GATEWAY_CONFIG: await writeConfig(folder, plan.sink),
    GATEWAY_LISTENER_HOST: '127.0.0.1',
    GATEWAY_SPOOL_ENABLED: String(plan.spool),
    ACTIVITYMONITOR_REACTOR_THREADS: String(plan.reactors),
    ACTIVITYMONITOR_MAX_CONNECTIONS: String(Math.max(100, agents * 2)),
    // The shipped 10 s would be an idle tail of each run, until the last events are stored.
    ACTIVITYMONITOR_BATCH_INTERVAL_SECONDS: '1',
    ...plan.env,
  };
}

/** The built gateway; reactors, control plane and the embedded ClickHouse are told apart. */
export class GatewayTarget implements Target {
  constructor(
    readonly gateway: TestGateway,
    private readonly plan: GatewayPlan,
    private readonly folder: string,
    readonly port: number,
    readonly agents: readonly AgentIdentity[],
  ) {}

  /** One token for all. */
  async enroll(): Promise<void> {
    const token = await this.gateway.token();
    for (const [i, agent] of this.agents.entries()) {
      const { Status, Error: reason } = await enrollRaw(this.port, agent, token, agentName(i));
      if (Status !== 'Enrolled') throw new Error(`An agent was not enrolled: ${Status} ${reason}`);
    }
  }

  async processes(): Promise<ProcessGroups> {
    const { reactors } = (await this.gateway.status()).listener;
    const reactorIds = reactors.map(({ pid }) => pid);
    const others = descendants(this.gateway.pid).filter((pid) => !reactorIds.includes(pid));
    return { reactors: reactorIds, control: [this.gateway.pid], clickhouse: others };
  }

  async settled(events: number): Promise<void> {
    await pollUntil(
      `the gateway to be through with ${events} events`,
      async () => countsOf(await this.gateway.status()),
      ({ received, delivered, inFlight }) => received === events && delivered === events && inFlight === 0,
      SETTLE_MS,
      ASK_MS,
    );
  }

  async verify(events: number): Promise<void> {
    const { received, delivered, deadLettered, dropped } = countsOf(await this.gateway.status());
    if (received !== events || delivered !== events || deadLettered !== 0 || dropped !== 0) {
      throw new Error(
        `Of ${events} events the gateway received ${received}, delivered ${delivered}, ` +
          `refused ${deadLettered} and dropped ${dropped}.`,
      );
    }
    const stored = await this.#stored();
    if (stored !== undefined && stored !== events)
      throw new Error(`Of ${events} events ${stored} are stored.`);
  }

  async stop(): Promise<void> {
    await this.gateway.dispose();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Counted where they are stored; nothing for a sink that stores nothing. */
  async #stored(): Promise<number | undefined> {
    if (this.plan.sink === 'clickhouse') return countTables((query) => this.gateway.sql(query));
    if (this.plan.sink === 'file') return countFiles(filesOf(this.folder));
    return undefined;
  }
}

function countsOf(status: GatewayStatus): GatewayStatus['pipelines'][number]['counts'] {
  const pipeline = status.pipelines[0];
  if (pipeline === undefined) throw new Error('The gateway reports no pipeline.');
  return pipeline.counts;
}
