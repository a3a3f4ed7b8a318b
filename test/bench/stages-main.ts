import { parseArgs } from 'node:util';
import { makeCorpus, type Corpus } from './corpus.js';
import { median } from './end-to-end/numbers.js';
import { stages, type Stage } from './stages.js';

interface StageRow {
  readonly stage: string;
  readonly does: string;
  readonly eventsPerCpuSecond: number;
  readonly microsecondsPerEvent: number;
  readonly ratioToBareLoop: number;
}

/**
 * The micro benchmark: what each stage of an event's way costs in CPU, in this process, without TLS and network.
 * @param args `--events N`, `--rounds N`, `--json`
 */
export async function runStages(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      events: { type: 'string', default: '100000' },
      rounds: { type: 'string', default: '5' },
      json: { type: 'boolean', default: false },
    },
  });
  const events = Number(values.events);
  const rounds = Number(values.rounds);
  const corpus = makeCorpus(events, ['file']);
  const rows = rowsOf(await measure(corpus, rounds), events);
  const figures = { events, bytes: corpus.bytes, rounds, node: process.version, rows };
  process.stdout.write(values.json ? `${JSON.stringify(figures)}\n` : asText(figures));
}

/** Stages take turns, so that a slow minute of the machine meets all of them; the first round warms up and is left out. */
async function measure(corpus: Corpus, rounds: number): Promise<Map<Stage, number[]>> {
  const seconds = new Map<Stage, number[]>(stages.map((stage) => [stage, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const stage of stages) {
      const cpu = await cpuSeconds(() => stage.run(corpus));
      if (round > 0) seconds.get(stage)?.push(cpu);
    }
  }
  return seconds;
}

/** CPU of this process while it works, seconds. */
async function cpuSeconds(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function rowsOf(seconds: ReadonlyMap<Stage, readonly number[]>, events: number): StageRow[] {
  const bare = median(seconds.get(stages[0] as Stage) ?? []);
  return stages.map((stage) => {
    const cpu = median(seconds.get(stage) ?? []);
    return {
      stage: stage.name,
      does: stage.does,
      eventsPerCpuSecond: Math.round(events / cpu),
      microsecondsPerEvent: Number(((cpu / events) * 1e6).toFixed(2)),
      ratioToBareLoop: Number((bare / cpu).toFixed(2)),
    };
  });
}

function asText(figures: {
  events: number;
  bytes: number;
  rounds: number;
  rows: readonly StageRow[];
}): string {
  const { events, rounds, rows } = figures;
  const bytes = Math.round(figures.bytes / events);
  const lines = rows.map((row) => {
    const rate = String(row.eventsPerCpuSecond).padStart(9);
    const time = `${row.microsecondsPerEvent.toFixed(2)} us  ${row.ratioToBareLoop.toFixed(2)}x`;
    return `${row.stage.padEnd(28)}${rate} events a CPU second  ${time}  ${row.does}\n`;
  });
  const head = `${events} file events of ${bytes} bytes, median of ${rounds} rounds, Node ${process.version}\n\n`;
  return head + lines.join('');
}
