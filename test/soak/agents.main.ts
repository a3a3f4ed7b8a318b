import type { FromAgents, ToAgents } from './agent-messages.js';
import { SoakAgent } from './soak-agent.js';

// A generator process: agents that do what they are told over IPC, until they are stopped or nobody listens any more.
const TICK_MS = 500;

const agents: SoakAgent[] = [];
let latencies: number[] = [];
let running: Promise<unknown> = Promise.resolve();

function tell(type: FromAgents['type'], then = (): void => undefined): void {
  process.send?.(
    { type, agents: agents.map((agent) => agent.totals()), latencies } satisfies FromAgents,
    then,
  );
  latencies = [];
}

const ticks = setInterval(() => tell('tick'), TICK_MS);

async function stop(): Promise<void> {
  for (const agent of agents) agent.stop();
  await running;
  clearInterval(ticks);
  tell('stopped', () => process.disconnect());
}

process.on('message', (message: ToAgents) => {
  if (message.do === 'start') {
    for (const plan of message.agents) {
      agents.push(new SoakAgent(plan, message.port, (ms) => latencies.push(ms)));
    }
    running = Promise.all(agents.map((agent) => agent.run()));
  } else if (message.do === 'rate') {
    for (const agent of agents) agent.rate(message.perSecond);
  } else {
    void stop();
  }
});
process.once('disconnect', () => {
  // After the totals this ends nothing that runs; when the parent has died, it ends the agents.
  process.exit(0);
});
