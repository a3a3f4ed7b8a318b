import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentPlan } from './agent-messages.js';
import type { AgentsProcess } from './agents-process.js';
import { spoolFileBytes } from './disk.js';
import { mib, MIB, percentile, row, shown, verdict, type Check } from './figures.js';
import { read, type Reading } from './readings.js';
import { Rig } from './rig.js';
import { trend, type Series } from './trend.js';

/** How a long run is made. */
export interface LongRunOptions {
  readonly minutes: number;
  readonly agents: number;
  /** Events a second of each agent. */
  readonly perSecond: number;
}

interface Sample extends Reading {
  /** Heap of the control process, bytes. */
  readonly controlHeapBytes: number;
  /** Timers, sockets and requests that keep the control process going. */
  readonly controlResources: number;
  readonly spoolFileBytes: number;
  /** Active parts of all tables in ClickHouse. */
  readonly parts: number;
}

const SAMPLE_MS = 5_000;
/** Before the minutes that are judged: code is compiled, and memory grows to what it is collected at. */
const WARM_UP_SECONDS = 90;
/** One in so many events is bad, and has to be a dead letter. */
const BAD_EVERY = 50;
/** Agents end their connection and come again after so many ms; each has a time of its own. */
const RECONNECT_MS = { first: 10_000, step: 3_500 };
const WIDTHS = [6, 9, 9, 9, 9, 7, 7, 8, 9, 9, 6, 8];
const HEAD = 'min,reactors,control,heap,files,fds,threads,entries,spool,file,parts,p99 ms'.split(',');

/** Runs a gateway for so many minutes, prints what is seen and the verdict; gives the exit code. */
export async function longRun(options: LongRunOptions): Promise<number> {
  const rig = await Rig.start({ slowInsertMs: 0 });
  try {
    const agents = await rig.agents(plans(options));
    const samples = await watch(rig, agents, options.minutes * 60 + WARM_UP_SECONDS);
    await agents.stop();
    await rig.drained();
    const judged = samples.filter(({ at }) => at > WARM_UP_SECONDS);
    return verdict([...series(judged).map(trend), await complete(rig, agents)]);
  } finally {
    await rig.dispose();
  }
}

function plans({ agents, perSecond }: LongRunOptions): Omit<AgentPlan, 'certPem' | 'keyPem'>[] {
  return Array.from({ length: agents }, (_, i) => ({
    name: `SOAK-${i}`,
    perSecond,
    badEvery: BAD_EVERY,
    // The first one stays for the whole run.
    reconnectMs: i === 0 ? null : RECONNECT_MS.first + i * RECONNECT_MS.step,
  }));
}

async function watch(rig: Rig, agents: AgentsProcess, seconds: number): Promise<Sample[]> {
  const began = performance.now();
  const samples: Sample[] = [];
  row(HEAD, WIDTHS);
  while (performance.now() - began < seconds * 1_000) {
    await sleep(SAMPLE_MS);
    const taken = await sample(rig, began);
    samples.push(taken);
    show(taken, agents.takeLatencies());
  }
  return samples;
}

async function sample(rig: Rig, began: number): Promise<Sample> {
  const { gateway } = rig;
  const metrics = (await gateway.rest<string>('GET', '/metrics')).body;
  const metric = (name: string): number =>
    Number(new RegExp(`^${name}\\{process="control"\\} (\\S+)`, 'm').exec(metrics)?.[1] ?? 0);
  const [parts] = await rig.sql(
    "SELECT count() AS n FROM system.parts WHERE active AND database = 'activity'",
  );
  return {
    ...(await read(rig, 'run', began)),
    controlHeapBytes: metric('nodejs_heap_size_used_bytes'),
    controlResources: metric('nodejs_active_resources_total'),
    spoolFileBytes: spoolFileBytes(gateway.dataDir),
    parts: Number(parts?.['n']),
  };
}

function show(taken: Sample, latencies: readonly number[]): void {
  const cells = [
    shown(taken.at / 60, 1),
    mib(taken.reactorBytes),
    mib(taken.controlBytes),
    mib(taken.controlHeapBytes),
    mib(taken.reactorFileBytes),
    shown(taken.descriptors),
    shown(taken.threads),
    shown(taken.spoolEntries),
    `${shown(taken.spoolBytes / 1024)} KiB`,
    mib(taken.spoolFileBytes),
    shown(taken.parts),
    shown(percentile(latencies, 0.99)),
  ];
  row(cells, WIDTHS);
}

function series(samples: readonly Sample[]): Series[] {
  const of = (
    name: string,
    value: (sample: Sample) => number,
    slack: Series['slack'],
    text: Series['shown'],
    by: Series['by'] = 'median',
  ): Series => ({ name, values: samples.map(value), slack, shown: text, by });
  const bytes = { share: 0.1, least: 16 * MIB };
  // Two reactors go up and down by 50 MiB between two collections, whatever they do.
  const collected = { share: 0.15, least: 32 * MIB };
  return [
    of('memory of the reactors', ({ reactorBytes }) => reactorBytes, collected, mib, 'peak'),
    of('memory of the control process', ({ controlBytes }) => controlBytes, bytes, mib, 'peak'),
    of('heap of the control process', ({ controlHeapBytes }) => controlHeapBytes, bytes, mib, 'peak'),
    of('what keeps the control process going', (s) => s.controlResources, { share: 0, least: 5 }, shown),
    of('descriptors', ({ descriptors }) => descriptors, { share: 0, least: 5 }, shown),
    of('threads', ({ threads }) => threads, { share: 0, least: 2 }, shown),
    of(
      'entries in the spool',
      ({ spoolEntries }) => spoolEntries,
      { share: 0.25, least: 500 },
      shown,
      'peak',
    ),
    of('the spool files', ({ spoolFileBytes: size }) => size, bytes, mib),
    of('active parts in ClickHouse', ({ parts }) => parts, { share: 0.25, least: 10 }, shown),
  ];
}

async function complete(rig: Rig, agents: AgentsProcess): Promise<Check> {
  const ask = async (query: string): Promise<number> => Number((await rig.sql(query))[0]?.['n']);
  const stored = await ask('SELECT uniqExact(path) AS n FROM activity.file_events');
  const rows = await ask('SELECT count() AS n FROM activity.file_events');
  const letters = await ask('SELECT count() AS n FROM activity.dead_letters');
  const [sent, bad] = [agents.sum((agent) => agent.sent), agents.sum((agent) => agent.bad)];
  const [acked, broken] = [agents.sum((agent) => agent.acked), agents.sum((agent) => agent.broken)];
  return {
    name: 'sent = stored + dead letters',
    ok: sent === rows + letters && rows === stored && letters === bad && acked === sent && broken === 0,
    found: `${shown(sent)} sent over ${shown(agents.sum(({ connections }) => connections))} connections, ${shown(rows)} stored, ${shown(letters)} dead letters of ${shown(bad)} bad ones, ${broken} connections broken`,
  };
}
