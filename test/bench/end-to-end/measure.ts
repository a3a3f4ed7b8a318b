import type { Generator } from './generator.js';
import type { GeneratorAnswer } from './generator-messages.js';
import { cpuSeconds, machineCpuSeconds, peakRssBytes } from './proc.js';
import { cpuByGroup, type ProcessGroups, type Target } from './target.js';

/** What a flood of events took. */
export interface Measured {
  readonly events: number;
  readonly bytes: number;
  /** Until the receiver had taken the last byte, seconds. */
  readonly takenSeconds: number;
  /** Until all was settled or stored, seconds: the window of the CPU times. */
  readonly storedSeconds: number;
  /** CPU time in that window by part, seconds. */
  readonly cpuSeconds: Readonly<Record<string, number>>;
  /** Highest resident memory of one process of each part, bytes. */
  readonly peakRssBytes: Readonly<Record<string, number>>;
  /** Share of one core that the generator used while it sent: near 1, it is the limit. */
  readonly generatorLoad: number;
  /** Cores that neither the receiver nor the benchmark used, but something else on the machine, in that window. */
  readonly otherLoad: number;
}

/** How long to send before the figures begin, and then. */
export interface Durations {
  readonly warmUpMs: number;
  readonly ms: number;
}

function peaksOf(groups: ProcessGroups): Record<string, number> {
  const peaks = Object.entries(groups).map(([name, pids]) => [name, Math.max(...pids.map(peakRssBytes))]);
  return Object.fromEntries(peaks) as Record<string, number>;
}

/** CPU time of the machine without this process, which only asks now and then, seconds. */
function otherCpu(): number {
  return machineCpuSeconds() - cpuSeconds(process.pid);
}

/** A receiver and what it was sent since its start. */
export class Bench {
  #sent = 0;
  #bytes = 0;

  constructor(
    readonly target: Target,
    private readonly generator: Generator,
  ) {}

  /**
   * Warms up until code is compiled, then measures from the first byte until every event is settled or stored.
   * @throws Error when an event is missing at the end
   */
  async flood({ warmUpMs, ms }: Durations): Promise<Measured> {
    const { target, generator } = this;
    await generator.open(target.port, target.agents);
    await this.#through(() => generator.flood(warmUpMs));
    const measured = await this.#window(await target.processes(), () => generator.flood(ms));
    await generator.close();
    await target.verify(this.#sent);
    return measured;
  }

  /** From the first byte until everything is through. */
  async #window(groups: ProcessGroups, send: () => Promise<GeneratorAnswer>): Promise<Measured> {
    const before = cpuByGroup(groups);
    const others = otherCpu();
    const start = performance.now();
    const sent = await this.#through(send);
    const storedSeconds = (performance.now() - start) / 1_000;
    const after = cpuByGroup(groups);
    const otherSeconds = otherCpu() - others;
    if (JSON.stringify(await this.target.processes()) !== JSON.stringify(groups)) {
      throw new Error('A process was replaced while it was measured.');
    }
    const spent = Object.entries(after).map(
      ([name, seconds]) => [name, seconds - (before[name] ?? 0)] as const,
    );
    const known = spent.reduce((sum, [, seconds]) => sum + seconds, sent.cpuSeconds);
    return {
      events: sent.events,
      bytes: sent.bytes,
      takenSeconds: sent.seconds,
      storedSeconds,
      cpuSeconds: Object.fromEntries(spent),
      peakRssBytes: peaksOf(groups),
      generatorLoad: sent.cpuSeconds / sent.seconds,
      otherLoad: Math.max(0, otherSeconds - known) / storedSeconds,
    };
  }

  /**
   * Sends at a fixed rate over connections that ask for Acks.
   * @throws Error when an event is missing at the end
   */
  async pace(ms: number, perSecond: number): Promise<GeneratorAnswer> {
    const { target, generator } = this;
    await generator.open(target.port, target.agents, true);
    const sent = await this.#through(() => generator.pace(ms, perSecond));
    await generator.close();
    await target.verify(this.#sent);
    return sent;
  }

  async #through(send: () => Promise<GeneratorAnswer>): Promise<GeneratorAnswer> {
    const sent = await send();
    this.#sent += sent.events;
    this.#bytes += sent.bytes;
    await this.target.settled(this.#sent, this.#bytes);
    return sent;
  }
}
