import {
  AgentProgress,
  DEFAULT_HOLD,
  MemoryUnacknowledged,
  runAgent,
  type AcknowledgedOptions,
  type MessageSource,
} from '@activity-gateway/agent';
import { GatewayError } from '@activity-gateway/pipeline/api';
import { formatCount } from './table.js';
import type { PreparedAgent } from './prepare-agents.js';

/** What a fleet runs with. */
export interface FleetOptions {
  readonly agents: readonly PreparedAgent[];
  /** Makes the source of one agent, counted from 0. */
  readonly source: (agent: PreparedAgent, index: number) => MessageSource;
  /** Whether agents ask for acknowledgements, and send again what was not acknowledged. */
  readonly ack: boolean;
  readonly stop: AbortSignal;
  readonly abort: AbortSignal;
}

/** Why an agent ended before its source did. */
export interface AgentFailure {
  readonly name: string;
  readonly error: GatewayError;
}

/** What all agents of a fleet may keep unacknowledged, bytes. */
const FLEET_HOLD_BYTES = 256 * 1024 * 1024;

/** Several agents that run in this process. */
export class AgentFleet {
  readonly #progress: readonly AgentProgress[];
  readonly #startedAt = performance.now();
  #shownSent = 0;
  #shownAt = this.#startedAt;

  constructor(private readonly options: FleetOptions) {
    this.#progress = options.agents.map(() => new AgentProgress());
  }

  /** Messages handed to connections by all agents. */
  get sent(): number {
    return this.#sum((progress) => progress.sent);
  }

  /** See `AgentProgress.unconfirmed`. */
  get unconfirmed(): number {
    return this.#sum((progress) => progress.unconfirmed);
  }

  /** Messages that gateways have told to be durable. */
  get acknowledged(): number {
    return this.#sum((progress) => progress.acknowledged);
  }

  /** See `AgentProgress.maybeTwice`. */
  get maybeTwice(): number {
    return this.#sum((progress) => progress.maybeTwice);
  }

  /** Since the fleet was made, ms. */
  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** Messages sent by kind. */
  sentByKind(): Map<string, number> {
    const total = new Map<string, number>();
    for (const { sentByKind } of this.#progress) {
      for (const [kind, count] of sentByKind) total.set(kind, (total.get(kind) ?? 0) + count);
    }
    return total;
  }

  /** Runs all agents to their end; gives those that failed. Does not reject for what a gateway or network does. */
  async run(): Promise<AgentFailure[]> {
    const { agents, source, stop, abort } = this.options;
    const failures: AgentFailure[] = [];
    const runs = agents.map(async (agent, index) => {
      try {
        const progress = this.#progress[index] ?? new AgentProgress();
        const { client } = agent;
        const acks = this.#acks(agent.name);
        await runAgent({
          client,
          source: source(agent, index),
          progress,
          stop,
          abort,
          ...(acks && { acks }),
        });
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        failures.push({ name: agent.name, error });
      }
    });
    await Promise.all(runs);
    return failures;
  }

  /** One line about now; the rate is the one since the last call. */
  describe(): string {
    const { sent } = this;
    const now = performance.now();
    const rate = ((sent - this.#shownSent) * 1000) / Math.max(1, now - this.#shownAt);
    this.#shownSent = sent;
    this.#shownAt = now;
    const connected = this.#sum((progress) => (progress.connected ? 1 : 0));
    const reconnects = this.#sum((progress) => progress.reconnects);
    const error = this.#progress.find((progress) => progress.lastError !== undefined)?.lastError;
    const trouble = error === undefined ? '' : ` · ${error}`;
    const acknowledged = this.options.ack ? ` · acknowledged ${formatCount(this.acknowledged)}` : '';
    return `sent ${formatCount(sent)}${acknowledged} · ${formatCount(rate)}/s · ${connected} of ${this.#progress.length} connected · ${reconnects} reconnects${trouble}`;
  }

  #acks(agentHost: string): AcknowledgedOptions | undefined {
    const { ack, agents } = this.options;
    if (!ack) return undefined;
    const bytes = Math.min(DEFAULT_HOLD.bytes, FLEET_HOLD_BYTES / agents.length);
    return { agentHost, held: new MemoryUnacknowledged({ ...DEFAULT_HOLD, bytes }) };
  }

  #sum(of: (progress: AgentProgress) => number): number {
    let total = 0;
    for (const progress of this.#progress) total += of(progress);
    return total;
  }
}
