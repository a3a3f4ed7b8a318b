import { fork, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GatewayStatus } from '../support/gateway.js';
import type { AgentsProcess } from './agents-process.js';
import type { AttackPlan } from './attack.main.js';
import { ATTACKS, type Attack } from './attacks.js';
import { percentile, print, row, shown, verdict, type Check } from './figures.js';
import { processorSeconds } from './proc.js';
import { Rig } from './rig.js';

/** How handshakes are attacked. */
export interface HandshakesOptions {
  readonly seconds: number;
  /** One of `ATTACKS`, or `all` of them at the same time, each from an address of its own. */
  readonly attack: string;
  /** Whether they come from the agent's own address. */
  readonly fromAgent: boolean;
  /** Events a second of the agent that must not suffer. */
  readonly steadyRate: number;
}

/** Longest Ack of the agent that is accepted (p99), ms. */
const MAX_P99_MS = 500;
const ALONE_SECONDS = 10;
const MAIN = new URL('./attack.main.js', import.meta.url);
const WIDTHS = [6, 7, 8, 8, 10, 10, 8, 8, 6, 6];
const HEAD = [
  's',
  'phase',
  'p50 ms',
  'p99 ms',
  'attempts/s',
  'reactors %',
  'lobby %',
  'pending',
  'bans',
  'slow',
];

/** Attacks the handshakes of a gateway beside an agent, prints what happens and the verdict; gives the exit code. */
export async function handshakes(options: HandshakesOptions): Promise<number> {
  const attacks = options.attack === 'all' ? (Object.keys(ATTACKS) as Attack[]) : [options.attack as Attack];
  if (!attacks.every((attack) => attack in ATTACKS)) {
    print(`There is no attack "${options.attack}". Choose one of: all, ${Object.keys(ATTACKS).join(', ')}.`);
    return 2;
  }
  const rig = await Rig.start({ slowInsertMs: 0 });
  try {
    return await new Handshakes(rig, options, attacks).run();
  } finally {
    await rig.dispose();
  }
}

interface Sample {
  readonly at: number;
  readonly attempts: number;
  readonly reactorSeconds: number;
  readonly lobbySeconds: number;
}

class Handshakes {
  readonly #began = performance.now();
  #attempts = 0;
  #before: Sample | undefined;

  constructor(
    private readonly rig: Rig,
    private readonly options: HandshakesOptions,
    private readonly attacks: readonly Attack[],
  ) {}

  async run(): Promise<number> {
    const { steadyRate, seconds } = this.options;
    const plan = { name: 'STEADY', perSecond: steadyRate, badEvery: 0, reconnectMs: null };
    const steady = await this.rig.agents([plan]);
    row(HEAD, WIDTHS);
    await sleep(2_000);
    steady.takeLatencies();
    const alone = await this.#phase('alone', ALONE_SECONDS, steady);
    const before = await this.rig.gateway.status();
    const child = await this.#attack();
    const beside = await this.#phase('attack', seconds, steady);
    child.kill('SIGKILL');
    const after = await this.rig.gateway.status();
    await steady.stop();
    return verdict([
      {
        name: `p99 of the agent's Acks beside the attack is under ${MAX_P99_MS} ms`,
        ok: percentile(beside, 0.99) < MAX_P99_MS,
        found: `${inMs(alone)} alone, ${inMs(beside)} beside`,
      },
      this.#reactorsStay(before, after),
      {
        name: 'the agent stays connected, and all that it sent is acknowledged',
        ok: steady.sum(({ broken }) => broken) === 0 && steady.sum(({ sent, acked }) => sent - acked) === 0,
        found: `${steady.sum(({ broken }) => broken)} broken, ${shown(steady.sum(({ acked }) => acked))} acknowledged`,
      },
    ]);
  }

  async #phase(phase: string, seconds: number, steady: AgentsProcess): Promise<number[]> {
    const all: number[] = [];
    const end = performance.now() + seconds * 1_000;
    while (performance.now() < end) {
      await sleep(1_000);
      const latencies = steady.takeLatencies();
      all.push(...latencies);
      this.#print(phase, latencies, await this.rig.gateway.status());
    }
    return all;
  }

  #print(phase: string, latencies: readonly number[], { listener }: GatewayStatus): void {
    const now: Sample = {
      at: (performance.now() - this.#began) / 1_000,
      attempts: this.#attempts,
      reactorSeconds: listener.reactors.reduce((sum, { pid }) => sum + processorSeconds(pid), 0),
      lobbySeconds: listener.lobby === undefined ? 0 : processorSeconds(listener.lobby.pid),
    };
    const before = this.#before ?? now;
    this.#before = now;
    const rate = (of: (sample: Sample) => number): number =>
      (of(now) - of(before)) / (now.at - before.at || 1);
    const bans = (effect: string): number => listener.bans.filter((ban) => ban.effect === effect).length;
    row(
      [
        shown(now.at),
        phase,
        shown(percentile(latencies, 0.5)),
        shown(percentile(latencies, 0.99)),
        shown(rate(({ attempts }) => attempts)),
        shown(100 * rate(({ reactorSeconds }) => reactorSeconds)),
        shown(100 * rate(({ lobbySeconds }) => lobbySeconds)),
        shown(listener.unidentifiedConnections),
        shown(bans('ban')),
        shown(bans('slow')),
      ],
      WIDTHS,
    );
  }

  async #attack(): Promise<ChildProcess> {
    const { fromAgent } = this.options;
    const child = fork(MAIN, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    child.on('message', (made: number[]) => (this.#attempts = made.reduce((sum, each) => sum + each, 0)));
    const attacks = this.attacks.map((attack, i) => ({
      attack,
      from: fromAgent ? '127.0.0.1' : `127.0.0.${i + 2}`,
    }));
    child.send({ attacks, port: await this.rig.gateway.agentPort() } satisfies AttackPlan);
    for (const { attack, from } of attacks) print(`${ATTACKS[attack]} from ${from}`);
    return child;
  }

  #reactorsStay(before: GatewayStatus, after: GatewayStatus): Check {
    const pids = ({ listener }: GatewayStatus): string => listener.reactors.map(({ pid }) => pid).join();
    const restarts = after.listener.lobby?.restarts ?? 0;
    return {
      name: 'no reactor is ended, nor the lobby',
      ok: pids(before) === pids(after) && restarts === 0,
      found: `reactors ${pids(before)} before, ${pids(after)} after; lobby restarted ${restarts} times`,
    };
  }
}

function inMs(latencies: readonly number[]): string {
  return `${shown(percentile(latencies, 0.5))} / ${shown(percentile(latencies, 0.99))} / ${shown(percentile(latencies, 1))} ms (p50 / p99 / longest)`;
}
