import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { AgentPlan, AgentTotals, FromAgents, ToAgents } from './agent-messages.js';

const MAIN = new URL('./agents.main.js', import.meta.url);

/** Agents in a process of their own. */
export class AgentsProcess {
  readonly #child: ChildProcess;
  #agents: readonly AgentTotals[] = [];
  #latencies: number[] = [];
  #stopped = false;

  constructor(port: number, agents: readonly AgentPlan[]) {
    this.#child = fork(MAIN, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child.on('message', (message: FromAgents) => {
      this.#agents = message.agents;
      this.#latencies.push(...message.latencies);
      if (message.type === 'stopped') this.#stopped = true;
    });
    this.#tell({ do: 'start', port, agents });
  }

  /** What the agents last told of themselves. */
  get agents(): readonly AgentTotals[] {
    return this.#agents;
  }

  /** A number of theirs, added up. */
  sum(of: (agent: AgentTotals) => number): number {
    return this.#agents.reduce((total, agent) => total + of(agent), 0);
  }

  /** The latencies that were not taken yet, ms. */
  takeLatencies(): number[] {
    return this.#latencies.splice(0);
  }

  /** A new rate for each agent. */
  rate(perSecond: number | null): void {
    this.#tell({ do: 'rate', perSecond });
  }

  /** Waits until the agents have ended in order. @throws Error when their process died */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    const exited = once(this.#child, 'exit');
    this.#tell({ do: 'stop' });
    await exited;
    if (!this.#stopped) throw new Error('The process of the agents has died.');
  }

  /** Ends the process, if it still runs. */
  kill(): void {
    if (this.#child.exitCode === null) this.#child.kill('SIGKILL');
  }

  #tell(message: ToAgents): void {
    this.#child.send(message);
  }
}
