import { parseArgs } from 'node:util';
import { MIB, print } from './figures.js';
import { handshakes } from './handshakes.js';
import { longRun } from './long-run.js';
import { overload } from './overload.js';

const USAGE = `npm run soak -- --minutes 10 [--agents 6] [--rate 50]
npm run soak -- --overload [--seconds 60] [--floods 4] [--steady 200] [--slow-insert 0]

npm run soak -- --handshakes [--seconds 30] [--attack all] [--from-agent] [--steady 50]

  --minutes      how long the gateway runs at a moderate load, after a warm-up of 90 s
  --agents       agents of it; --rate: events a second of each
  --overload     twice the load that the gateway carries, beside an agent that must not suffer
  --seconds      how long that is offered
  --floods       connections that offer it
  --steady       events a second of the agent beside them
  --handshakes   peers without a key do their worst to the handshakes, beside an agent that must not suffer
  --attack       chains, short-chains, replays, halves; all = at the same time, each from an address of its own
  --from-agent   from the agent's own address
  --slow-insert  time that ClickHouse takes longer for each insert, ms
`;

/** `buffer.max_bytes` of the pipeline that is shipped. */
const BUDGET_BYTES = 256 * MIB;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '10' },
    agents: { type: 'string', default: '6' },
    rate: { type: 'string', default: '50' },
    handshakes: { type: 'boolean', default: false },
    attack: { type: 'string', default: 'all' },
    'from-agent': { type: 'boolean', default: false },
    overload: { type: 'boolean', default: false },
    seconds: { type: 'string' },
    floods: { type: 'string', default: '4' },
    steady: { type: 'string' },
    'slow-insert': { type: 'string', default: '0' },
  },
});

function run(): Promise<number> {
  if (values.handshakes) {
    return handshakes({
      seconds: Number(values.seconds ?? 30),
      attack: values.attack,
      fromAgent: values['from-agent'],
      steadyRate: Number(values.steady ?? 50),
    });
  }
  if (!values.overload) {
    const [minutes, agents, perSecond] = [values.minutes, values.agents, values.rate].map(Number);
    return longRun({ minutes: minutes ?? 0, agents: agents ?? 0, perSecond: perSecond ?? 0 });
  }
  return overload({
    seconds: Number(values.seconds ?? 60),
    floods: Number(values.floods),
    steadyRate: Number(values.steady ?? 200),
    slowInsertMs: Number(values['slow-insert']),
    budgetBytes: BUDGET_BYTES,
  });
}

const given = [
  values.minutes,
  values.agents,
  values.rate,
  values.seconds ?? 1,
  values.floods,
  values.steady ?? 1,
];
if (values.help || !given.every((value) => Number(value) > 0)) {
  print(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  process.exitCode = await run();
}
