import { parseArgs } from 'node:util';
import { makeCorpus } from './corpus.js';
import { stages, type Stage } from './stages.js';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});

/** CPU of this process while it works, seconds. */
async function cpuSeconds(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

const events = Number(values.events);
const rounds = Number(values.rounds);
const corpus = makeCorpus(events, ['file']);
const seconds = new Map<Stage, number[]>(stages.map((stage) => [stage, []]));

// Stages take turns, so that a slow minute of the machine meets all of them; the first round warms up and is left out.
for (let round = 0; round <= rounds; round += 1) {
  for (const stage of stages) {
    const cpu = await cpuSeconds(() => stage.run(corpus));
    if (round > 0) seconds.get(stage)?.push(cpu);
  }
}

const bare = median(seconds.get(stages[0] as Stage) ?? []);
const rows = stages.map((stage) => {
  const cpu = median(seconds.get(stage) ?? []);
  return {
    stage: stage.name,
    does: stage.does,
    eventsPerCpuSecond: Math.round(events / cpu),
    microsecondsPerEvent: Number(((cpu / events) * 1e6).toFixed(2)),
    ratioToBareLoop: Number((bare / cpu).toFixed(2)),
  };
});

if (values.json) {
  process.stdout.write(
    `${JSON.stringify({ events, bytes: corpus.bytes, rounds, node: process.version, rows })}\n`,
  );
} else {
  const bytes = Math.round(corpus.bytes / events);
  process.stdout.write(
    `${events} file events of ${bytes} bytes, median of ${rounds} rounds, Node ${process.version}\n\n`,
  );
  for (const row of rows) {
    const figures = `${String(row.eventsPerCpuSecond).padStart(9)} events a CPU second  ${row.microsecondsPerEvent.toFixed(2)} us  ${row.ratioToBareLoop.toFixed(2)}x`;
    process.stdout.write(`${row.stage.padEnd(28)}${figures}  ${row.does}\n`);
  }
}
