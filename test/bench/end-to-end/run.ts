import type { AgentIdentity } from '@activity-gateway/agent';
import type { PeerProgram } from '../peers/find-peers.js';
import { startPeer } from '../peers/peer-target.js';
import { startBareLoop } from './bare-loop.js';
import type { CorpusName } from './corpora.js';
import { figuresOf, type Figures, type PacedLatency } from './figures.js';
import { startGatewayTarget } from './gateway-target.js';
import { Generator } from './generator.js';
import type { Identities } from './identities.js';
import { Bench, type Durations } from './measure.js';
import type { LoadScenario, PeerScenario } from './scenarios.js';
import type { Target } from './target.js';

/** How long the parts of a run take. */
export interface RunPlan {
  readonly flood: Durations;
  readonly bare: Durations;
  /** 0 leaves the latency out. */
  readonly latencyMs: number;
  /** Variables for the gateway, over those of the scenario. */
  readonly env: NodeJS.ProcessEnv;
}

/** Share of the measured maximum at which latency is measured: a saturated receiver shows its queue only. */
const PACE = 0.5;

/** Runs receivers on inputs; a generator and a bare loop for each input live as long as it. */
export class Runner {
  readonly #generators = new Map<CorpusName, Promise<Generator>>();
  readonly #bareLoops = new Map<CorpusName, Promise<{ target: Target; bench: Bench }>>();

  constructor(
    private readonly plan: RunPlan,
    private readonly identities: Identities,
  ) {}

  /** A fresh gateway: a flood, then the latency. @throws Error when an event is missing */
  load(scenario: LoadScenario): Promise<Figures> {
    const { env } = this.plan;
    return this.#with(scenario, (agents) => startGatewayTarget({ ...scenario, env }, agents), true);
  }

  /** The same for a peer, which has no Acks and so no latency. @throws Error when an event is missing */
  peer(scenario: PeerScenario, program: PeerProgram): Promise<Figures> {
    return this.#with(scenario, (agents) => startPeer(program, agents), false);
  }

  /** The bare loop on an input; the same process each time. */
  async bare(corpus: CorpusName): Promise<Figures> {
    const found = this.#bareLoops.get(corpus) ?? this.#startBare(corpus);
    this.#bareLoops.set(corpus, found);
    return figuresOf(await (await found).bench.flood(this.plan.bare));
  }

  /** Ends all processes. */
  async stop(): Promise<void> {
    for (const bare of this.#bareLoops.values()) await (await bare).target.stop();
    for (const generator of this.#generators.values()) await (await generator).stop();
  }

  async #with(
    scenario: LoadScenario | PeerScenario,
    start: (agents: readonly AgentIdentity[]) => Promise<Target>,
    acks: boolean,
  ): Promise<Figures> {
    const generator = await this.#generator(scenario.corpus);
    const target = await start(await this.identities.take(scenario.agents));
    try {
      const bench = new Bench(target, generator);
      const measured = await bench.flood(this.plan.flood);
      const maximum = measured.events / measured.storedSeconds;
      return figuresOf(measured, acks ? await this.#latency(bench, maximum) : undefined);
    } finally {
      await generator.close().catch(() => undefined);
      await target.stop();
    }
  }

  async #latency(bench: Bench, maximum: number): Promise<PacedLatency | undefined> {
    if (this.plan.latencyMs === 0) return undefined;
    const perSecond = Math.round(maximum * PACE);
    const { latency } = await bench.pace(this.plan.latencyMs, perSecond);
    return latency && { ...latency, perSecond };
  }

  #generator(corpus: CorpusName): Promise<Generator> {
    const generator = this.#generators.get(corpus) ?? Generator.start(corpus);
    this.#generators.set(corpus, generator);
    return generator;
  }

  async #startBare(corpus: CorpusName): Promise<{ target: Target; bench: Bench }> {
    const [identity] = await this.identities.take(1);
    const target = await startBareLoop(identity!);
    return { target, bench: new Bench(target, await this.#generator(corpus)) };
  }
}
