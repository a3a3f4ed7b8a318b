import type { AgentCredentials } from '../../support/raw-agent.js';
import { Child } from './child.js';
import type { CorpusName } from './corpora.js';
import type { GeneratorAnswer, GeneratorQuestion } from './generator-messages.js';

/** Handle of a generator process with one corpus, made once and sent to every receiver. */
export class Generator {
  private constructor(
    private readonly child: Child<GeneratorQuestion, GeneratorAnswer>,
    /** Mean size of an event with its LF, bytes. */
    readonly meanBytes: number,
  ) {}

  /** Starts the process and makes the input. */
  static async start(corpus: CorpusName): Promise<Generator> {
    const child = Child.start<GeneratorQuestion, GeneratorAnswer>('generator-process');
    const { events, bytes } = await child.ask({ do: 'prepare', corpus });
    return new Generator(child, bytes / events);
  }

  /** One connection for each agent. */
  async open(port: number, agents: readonly AgentCredentials[], acks = false): Promise<void> {
    await this.child.ask({ do: 'open', port, agents, acks });
  }

  /** Sends as fast as the receiver takes it. */
  flood(ms: number): Promise<GeneratorAnswer> {
    return this.child.ask({ do: 'flood', ms });
  }

  /** Sends at a rate over all connections and measures Acks. */
  pace(ms: number, perSecond: number): Promise<GeneratorAnswer> {
    return this.child.ask({ do: 'pace', ms, perSecond });
  }

  /** Ends all connections and waits until they are closed. */
  async close(): Promise<void> {
    await this.child.ask({ do: 'close' });
  }

  /** Ends the process. */
  stop(): Promise<void> {
    return this.child.stop();
  }
}
