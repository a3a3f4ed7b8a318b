import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentsProcess } from './agents-process.js';
import { mib, percentile, print, row, shown, verdict, type Check } from './figures.js';
import { read, type Reading } from './readings.js';
import { Rig } from './rig.js';

/** How an overload is run. */
export interface OverloadOptions {
  /** How long twice the load is offered. */
  readonly seconds: number;
  /** Connections that flood. */
  readonly floods: number;
  /** Events a second of the agent that must not suffer. */
  readonly steadyRate: number;
  /** As `RigOptions`. */
  readonly slowInsertMs: number;
  /** `buffer.max_bytes` of the configuration, bytes. */
  readonly budgetBytes: number;
}

type Phase = 'idle' | 'alone' | 'measure' | 'overload' | 'after';

/** Seconds of the other phases. */
const SECONDS = { idle: 4, alone: 12, measure: 10, after: 15 };
/** Of a phase, seconds that are left out of its figures: what was before has its effect. */
const SETTLE = 2;
const WIDTHS = [6, 9, 10, 8, 8, 8, 10, 10, 10, 6];
const HEAD = ['s', 'phase', 'carried/s', 'steady/s', 'p50 ms', 'p99 ms', 'memory', 'files', 'spool', 'held'];

interface Row extends Reading {
  readonly phase: Phase;
  readonly steadyAcked: number;
  readonly latencies: readonly number[];
}

/** Runs an overload, prints what happens and the verdict; gives the exit code. */
export async function overload(options: OverloadOptions): Promise<number> {
  const rig = await Rig.start(options);
  try {
    return await new Overload(rig, options).run();
  } finally {
    await rig.dispose();
  }
}

class Overload {
  readonly #began = performance.now();
  readonly #rows: Row[] = [];
  #steady: AgentsProcess | undefined;

  constructor(
    private readonly rig: Rig,
    private readonly options: OverloadOptions,
  ) {}

  async run(): Promise<number> {
    const { floods, seconds, steadyRate } = this.options;
    row(HEAD, WIDTHS);
    await this.#phase('idle', SECONDS.idle);
    const calm = { badEvery: 0, reconnectMs: null };
    const steady = await this.rig.agents([{ ...calm, name: 'STEADY', perSecond: steadyRate }]);
    this.#steady = steady;
    await this.#phase('alone', SECONDS.alone);
    const names = Array.from({ length: floods }, (_, i) => `FLOOD-${i}`);
    const flood = await this.rig.agents(names.map((name) => ({ ...calm, name, perSecond: null })));
    await this.#phase('measure', SECONDS.measure);
    const carried = this.#rate('measure', ({ received }) => received);
    flood.rate((2 * carried) / floods);
    const offeredBefore = flood.sum(({ offered }) => offered);
    await this.#phase('overload', seconds);
    const held = flood.sum(({ offered, sent }) => offered - sent);
    const offered = (flood.sum((agent) => agent.offered) - offeredBefore) / seconds;
    await flood.stop();
    await this.#phase('after', SECONDS.after);
    await steady.stop();
    await this.rig.drained();
    print(`\ncarried ${shown(carried)} events/s; offered ${shown(offered)}/s for ${seconds} s`);
    return verdict([
      ...this.#fairness(),
      ...this.#memory(),
      this.#paused(held),
      await this.#complete([flood, steady]),
    ]);
  }

  async #phase(phase: Phase, seconds: number): Promise<void> {
    const end = performance.now() + seconds * 1_000;
    while (performance.now() < end) {
      await sleep(1_000);
      const reading = await read(this.rig, phase, this.#began);
      const latencies = this.#steady?.takeLatencies() ?? [];
      const steadyAcked = this.#steady?.sum(({ acked }) => acked) ?? 0;
      this.#add({ ...reading, phase, latencies, steadyAcked });
    }
  }

  #add(now: Row): void {
    const before = this.#rows.at(-1);
    this.#rows.push(now);
    const rate = (of: (row: Row) => number): string =>
      before === undefined ? '' : shown((of(now) - of(before)) / (now.at - before.at));
    const { latencies } = now;
    row(
      [
        shown(now.at),
        now.phase,
        rate(({ received }) => received),
        rate(({ steadyAcked }) => steadyAcked),
        shown(percentile(latencies, 0.5)),
        shown(percentile(latencies, 0.99)),
        mib(now.reactorBytes),
        mib(now.reactorFileBytes),
        mib(now.spoolBytes),
        now.backPressure ? 'yes' : '',
      ],
      WIDTHS,
    );
  }

  /** The rows of a phase, without its beginning. */
  #of(phase: Phase): Row[] {
    return this.#rows.filter((each) => each.phase === phase).slice(SETTLE);
  }

  #rate(phase: Phase, of: (row: Row) => number): number {
    const rows = this.#of(phase);
    const [first, last] = [rows[0], rows.at(-1)];
    return first === undefined || last === undefined ? 0 : (of(last) - of(first)) / (last.at - first.at);
  }

  #latencies(phase: Phase): number[] {
    return this.#of(phase).flatMap(({ latencies }) => latencies);
  }

  #fairness(): Check[] {
    const rate = (phase: Phase): number => this.#rate(phase, ({ steadyAcked }) => steadyAcked);
    const [alone, beside] = [rate('alone'), rate('overload')];
    const p99 = (phase: Phase): number => percentile(this.#latencies(phase), 0.99);
    const text = (phase: Phase): string =>
      `${shown(percentile(this.#latencies(phase), 0.5))} / ${shown(p99(phase))} ms`;
    const calmMs = Math.max(100, p99('alone') * 2);
    const after = this.#rows.filter(({ phase }) => phase === 'after');
    const recovered = after.findIndex(({ latencies }) => percentile(latencies, 0.99) <= calmMs) + 1;
    return [
      {
        name: 'the steady agent is not slowed down by more than a tenth',
        ok: beside >= alone * 0.9,
        found: `${shown(alone, 1)} events/s alone, ${shown(beside, 1)} beside the flood; Acks after ${text('alone')} (p50 / p99) alone, ${text('overload')} beside, ${text('after')} after`,
      },
      {
        name: 'latency recovers within seconds',
        ok: recovered > 0 && recovered <= 5,
        found: recovered > 0 ? `p99 below ${shown(calmMs)} ms after ${recovered} s` : 'it did not',
      },
    ];
  }

  #memory(): Check[] {
    const { budgetBytes } = this.options;
    const idle = Math.min(
      ...this.#rows.filter(({ phase }) => phase === 'idle').map((each) => each.reactorBytes),
    );
    const peak = Math.max(...this.#rows.map(({ reactorBytes }) => reactorBytes));
    const files = Math.max(...this.#rows.map(({ reactorFileBytes }) => reactorFileBytes));
    const spool = Math.max(...this.#rows.map(({ spoolBytes }) => spoolBytes));
    return [
      {
        name: 'memory of the reactors stays under base + budget + 25 %',
        ok: peak <= idle + budgetBytes * 1.25,
        found: `base ${mib(idle)}, peak ${mib(peak)}, budget ${mib(budgetBytes)}; besides, file pages up to ${mib(files)}, spool up to ${mib(spool)}`,
      },
    ];
  }

  #paused(held: number): Check {
    const paused = this.#of('overload').filter(({ backPressure }) => backPressure).length;
    const ended = this.#rows.at(-1)?.backPressure === false;
    return {
      name: 'sockets are paused, and not afterwards',
      // That agents could not send what they offered is the proof; one waits for room at the moment of a reading or not.
      ok: held > 0 && ended,
      found: `back-pressure in ${paused} of ${this.#of('overload').length} readings, ${shown(held)} events held by the agents at the end`,
    };
  }

  async #complete(all: readonly AgentsProcess[]): Promise<Check> {
    const sum = (of: Parameters<AgentsProcess['sum']>[0]): number =>
      all.reduce((total, agents) => total + agents.sum(of), 0);
    const [stored] = await this.rig.sql(
      'SELECT count() AS n, uniqExact(path) AS paths FROM activity.file_events',
    );
    const [rows, distinct] = [Number(stored?.['n']), Number(stored?.['paths'])];
    const [sent, acked, broken] = [sum((a) => a.sent), sum((a) => a.acked), sum((a) => a.broken)];
    return {
      name: 'no event is lost, none stored twice',
      ok: sent === acked && sent === rows && sent === distinct && broken === 0,
      found: `${shown(sent)} sent, ${shown(acked)} acknowledged, ${shown(rows)} stored, ${shown(distinct)} of them different, ${broken} connections broken`,
    };
  }
}
