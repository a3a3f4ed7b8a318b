import { EVENT_KINDS, parseToken } from '@activity-gateway/agent';
import { type EventType, GatewayError } from '@activity-gateway/pipeline/api';
import { sleep } from '@activity-gateway/pipeline/helpers';
import { join } from 'node:path';
import { AgentFleet } from '../agent/agent-fleet.js';
import { generatedSource } from '../agent/generated-source.js';
import { Pacer } from '../agent/pacer.js';
import { prepareAgents, type PreparedAgent } from '../agent/prepare-agents.js';
import { ProgressLine } from '../agent/progress-line.js';
import { formatCount } from '../agent/table.js';
import { GatewayApi, receivedEvents } from './gateway-api.js';
import { countStored, type RunFilter, type StoredCounts } from './stored-counts.js';

/** What one run of the demo works with. */
export interface DemoRunOptions {
  readonly api: GatewayApi;
  readonly agentPort: number;
  readonly dataDir: string;
  readonly eventTypes: readonly EventType[];
  readonly events: number;
  /** Ends the run in order. */
  readonly stop: AbortSignal;
  /** Ends it at once. */
  readonly abort: AbortSignal;
}

/** What a run sent, by kind, and what ClickHouse holds of it. */
export interface DemoOutcome {
  readonly sent: ReadonlyMap<string, number>;
  readonly counts: StoredCounts;
}

const AGENTS = 3;
const BAD_RATIO = 0.005;
/** Slow enough to be watched; a large run is about speed instead. */
const WATCHABLE = { rate: 4_000, maxEvents: 40_000 };
/** The longest that nothing new may come to ClickHouse, ms; its longest batch interval by default is 10 s. */
const STALLED_MS = 45_000;
const POLL_MS = 250;

/** Streams events from three agents and waits until ClickHouse holds all of them, or no more come. */
export class DemoRun {
  #received = 0;
  #counts: StoredCounts | undefined;

  constructor(private readonly options: DemoRunOptions) {}

  /** @throws GatewayError when agents cannot enroll or give up, or ClickHouse cannot be asked */
  async run(): Promise<DemoOutcome> {
    const since = Date.now();
    const agents = await this.#enroll();
    const fleet = this.#makeFleet(agents);
    const filter = { agents: agents.map(({ spkiHash }) => spkiHash), since };
    const over = new AbortController();
    const line = new ProgressLine(() => this.#describe(fleet));
    const polling = this.#poll(filter, AbortSignal.any([over.signal, this.options.stop]));
    try {
      const [failure] = await fleet.run();
      if (failure !== undefined) throw failure.error;
      const counts = await this.#waitUntilStored(filter, fleet.sent);
      return { sent: fleet.sentByKind(), counts };
    } finally {
      over.abort();
      await polling;
      line.stop();
    }
  }

  async #enroll(): Promise<PreparedAgent[]> {
    const { api, agentPort, dataDir, stop } = this.options;
    const token = parseToken(await api.enrollmentToken());
    const where = { host: '127.0.0.1', port: agentPort, data: join(dataDir, 'agents') };
    const agents = await prepareAgents({ ...where, token, agents: AGENTS }, stop);
    process.stdout.write(`${agents.length} agents enrolled over mutual TLS 1.3\n`);
    return agents;
  }

  #makeFleet(agents: readonly PreparedAgent[]): AgentFleet {
    const { events, stop, abort } = this.options;
    const pacer = new Pacer(events <= WATCHABLE.maxEvents ? WATCHABLE.rate : undefined);
    const budget = { left: events };
    return new AgentFleet({
      agents,
      ack: true,
      source: ({ name }, index) =>
        generatedSource({
          generator: { seed: Date.now() + index, types: EVENT_KINDS, agentHost: name, badRatio: BAD_RATIO },
          budget,
          pacer,
        }),
      stop,
      abort,
    });
  }

  /** Keeps what the display shows up to date; what cannot be asked now is asked again. */
  async #poll(filter: RunFilter, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        this.#received = receivedEvents(await this.options.api.status());
        this.#counts = await this.#count(filter);
      } catch (error) {
        if (!(error instanceof GatewayError || error instanceof TypeError)) throw error;
      }
      await sleep(POLL_MS, signal);
    }
  }

  async #waitUntilStored(filter: RunFilter, sent: number): Promise<StoredCounts> {
    const { stop } = this.options;
    let best = -1;
    let changedAt = Date.now();
    for (;;) {
      const counts = await this.#count(filter);
      const there = counts.totalStored + counts.totalDeadLetters;
      if (there > best) changedAt = Date.now();
      best = Math.max(best, there);
      if (there >= sent || stop.aborted || Date.now() - changedAt > STALLED_MS) return counts;
      await sleep(POLL_MS, stop);
    }
  }

  #count(filter: RunFilter): Promise<StoredCounts> {
    return countStored(this.options.dataDir, filter, this.options.eventTypes);
  }

  #describe(fleet: AgentFleet): string {
    const { totalStored = 0, totalDeadLetters = 0 } = this.#counts ?? {};
    const received = Math.max(this.#received, totalStored + totalDeadLetters);
    return `sent ${formatCount(fleet.sent)} · received ${formatCount(received)} · stored ${formatCount(totalStored)} · dead letters ${formatCount(totalDeadLetters)}`;
  }
}
