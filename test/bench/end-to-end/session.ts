import { findPeer } from '../peers/find-peers.js';
import type { CorpusName } from './corpora.js';
import { measureIdle } from './idle.js';
import type { Results, Run } from './results.js';
import type { Runner } from './run.js';
import type { LoadScenario, PeerScenario, Scenario } from './scenarios.js';
import { measureStarts } from './start-times.js';

/** The bare loop reads no LEEF: a ratio to it would compare nothing. */
const WITHOUT_BARE: readonly CorpusName[] = ['leef'];

/** Runs scenarios one after the other, with the bare loop on the same input before and after each of them. */
export class Session {
  constructor(
    private readonly runner: Runner,
    private readonly results: Results,
    private readonly tell: (run: Run) => void,
  ) {}

  /** Never throws: what goes wrong is a failed run. */
  async run(scenario: Scenario): Promise<void> {
    try {
      await this.#run(scenario);
    } catch (error) {
      this.#add({ kind: 'failed', scenario, reason: (error as Error).message });
    }
  }

  async #run(scenario: Scenario): Promise<void> {
    switch (scenario.kind) {
      case 'load':
        return this.#besideBare(scenario, async () => {
          this.#add({ kind: 'load', scenario, figures: await this.runner.load(scenario) });
        });
      case 'peer':
        return this.#peer(scenario);
      case 'start':
        return this.#add({ kind: 'start', scenario, ...(await measureStarts()) });
      case 'idle':
        return this.#add({ kind: 'idle', scenario, ...(await measureIdle()) });
    }
  }

  async #peer(scenario: PeerScenario): Promise<void> {
    let program: ReturnType<typeof findPeer>;
    try {
      program = findPeer(scenario.program);
    } catch (error) {
      return this.#add({ kind: 'skipped', scenario, reason: (error as Error).message });
    }
    await this.#besideBare(scenario, async () => {
      const figures = await this.runner.peer(scenario, program);
      this.#add({ kind: 'peer', scenario, version: program.version, figures });
    });
  }

  /** The bare run after one scenario is the one before the next, where both have the same input. */
  async #besideBare({ corpus }: LoadScenario | PeerScenario, work: () => Promise<void>): Promise<void> {
    if (WITHOUT_BARE.includes(corpus)) return work();
    const last = this.results.runs.findLast(({ kind }) => kind !== 'skipped');
    if (last?.kind !== 'bare' || last.corpus !== corpus) await this.#bare(corpus);
    await work();
    await this.#bare(corpus);
  }

  async #bare(corpus: CorpusName): Promise<void> {
    this.#add({ kind: 'bare', corpus, figures: await this.runner.bare(corpus) });
  }

  #add(run: Run): void {
    this.results.runs.push(run);
    this.tell(run);
  }
}
