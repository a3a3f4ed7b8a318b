import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOrCreateIdentity } from '@activity-gateway/agent';
import { startTestClickHouse } from '../support/clickhouse.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { startGateway, type TestGateway } from '../support/gateway.js';
import { pollUntil } from '../support/poll.js';
import { enrollRaw } from '../support/raw-agent.js';
import type { AgentPlan } from './agent-messages.js';
import { AgentsProcess } from './agents-process.js';

/** What a run starts from. */
export interface RigOptions {
  /** How long ClickHouse takes longer for each insert, ms; 0 = the gateway's own ClickHouse, as fast as it is. */
  readonly slowInsertMs: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** How long what waits in the gateway may take to be written at the end, ms. */
const DRAIN_MS = 600_000;

/** A real gateway with a real ClickHouse and agents in processes of their own; all of it goes with `dispose`. */
export class Rig {
  readonly #undo: (() => Promise<unknown> | void)[] = [];
  #gateway: TestGateway | undefined;
  #sql: (query: string) => Promise<Record<string, unknown>[]> = async () => [];
  #directory = '';

  static async start(options: RigOptions): Promise<Rig> {
    const rig = new Rig();
    try {
      await rig.#start(options);
    } catch (error) {
      await rig.dispose();
      throw error;
    }
    return rig;
  }

  get gateway(): TestGateway {
    if (this.#gateway === undefined) throw new Error('The gateway has not started.');
    return this.#gateway;
  }

  /** Asks ClickHouse itself, past everything that slows inserts down. */
  sql(query: string): Promise<Record<string, unknown>[]> {
    return this.#sql(query);
  }

  /** Enrolls agents with names of their own and starts them in one process. */
  async agents(plans: readonly Omit<AgentPlan, 'certPem' | 'keyPem'>[]): Promise<AgentsProcess> {
    const port = await this.gateway.agentPort();
    const agents: AgentPlan[] = [];
    for (const plan of plans) {
      const identity = await loadOrCreateIdentity(join(this.#directory, plan.name), plan.name);
      const answer = await enrollRaw(port, identity, await this.gateway.token(), plan.name);
      if (answer.Status !== 'Enrolled') throw new Error(`${plan.name} was not enrolled: ${answer.Status}`);
      agents.push({ ...plan, certPem: identity.certPem, keyPem: identity.keyPem });
    }
    const process = new AgentsProcess(port, agents);
    this.#undo.push(() => process.kill());
    return process;
  }

  /** Waits until everything that the gateway took is written. */
  async drained(): Promise<void> {
    await pollUntil(
      'everything to be written',
      () => this.gateway.status(),
      ({ pipelines }) => pipelines.every(({ counts, queue }) => counts.inFlight + queue.entries === 0),
      DRAIN_MS,
    );
  }

  async dispose(): Promise<void> {
    for (const step of this.#undo.splice(0).reverse()) await step();
  }

  async #start({ slowInsertMs, env = {} }: RigOptions): Promise<void> {
    this.#directory = await mkdtemp(join(tmpdir(), 'gateway-soak-'));
    this.#undo.push(() => rm(this.#directory, { recursive: true, force: true }));
    const clickHouseEnv = slowInsertMs > 0 ? await this.#slowClickHouse(slowInsertMs) : {};
    const gateway = await startAnyway({ GATEWAY_LOG_LEVEL: 'warn', ...clickHouseEnv, ...env });
    this.#gateway = gateway;
    this.#undo.push(() => gateway.dispose());
    if (slowInsertMs === 0) this.#sql = (query) => gateway.sql(query);
  }

  async #slowClickHouse(slowInsertMs: number): Promise<NodeJS.ProcessEnv> {
    const clickhouse = await startTestClickHouse();
    this.#undo.push(() => clickhouse.stop());
    const proxy = await FaultProxy.start(clickhouse.endpoint.url);
    this.#undo.push(() => proxy.close());
    proxy.lateMs = slowInsertMs;
    proxy.fault = () => 'late';
    this.#sql = (query) => clickhouse.rows(query);
    return { CLICKHOUSE_URL: proxy.url };
  }
}

/** Another program may take the port that was free a moment ago. */
async function startAnyway(env: NodeJS.ProcessEnv, attempts = 3): Promise<TestGateway> {
  try {
    return await startGateway({ env });
  } catch (error) {
    const taken = error instanceof Error && error.message.includes('HTTP_PORT_UNAVAILABLE');
    if (!taken || attempts === 1) throw error;
    return startAnyway(env, attempts - 1);
  }
}
