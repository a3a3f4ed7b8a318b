import type { AgentCredentials } from '../../support/raw-agent.js';
import { pollUntil } from '../../support/poll.js';
import type { BareAnswer, BareQuestion } from './bare-loop-process.js';
import { Child } from './child.js';
import type { Target } from './target.js';

const SETTLE_MS = 60_000;

/** Starts the bare loop (see `bare-loop-process.ts`) in a process of its own. */
export async function startBareLoop(identity: AgentCredentials): Promise<Target> {
  const child = Child.start<BareQuestion, BareAnswer>('bare-loop-process');
  const { port } = await child.ask({ do: 'listen', server: identity });
  const counts = (): Promise<BareAnswer> => child.ask({ do: 'count' });
  return {
    port,
    agents: [identity],
    processes: async () => ({ bare: [child.pid] }),
    settled: async (events) => {
      const all = ({ valid, invalid }: BareAnswer): boolean => valid + invalid === events;
      await pollUntil(`the bare loop to count ${events} events`, counts, all, SETTLE_MS);
    },
    verify: async (events) => {
      const { valid } = await counts();
      if (valid !== events) throw new Error(`The bare loop found ${valid} of ${events} events valid.`);
    },
    stop: () => child.stop(),
  };
}
