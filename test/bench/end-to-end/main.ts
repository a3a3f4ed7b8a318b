import { writeFile } from 'node:fs/promises';
import { Identities } from './identities.js';
import { readOptions, type Options } from './options.js';
import { requireLinux } from './proc.js';
import { median, type Figures } from './results.js';
import { Runner } from './run.js';
import type { Scenario } from './scenarios.js';
import { heading, row } from './table.js';

/** Runs scenarios, with a bare loop before and after each of them. */
export async function endToEnd(args: readonly string[]): Promise<void> {
  requireLinux();
  const options = readOptions(args);
  const identities = await Identities.open();
  const ms = options.seconds * 1_000;
  const runner = new Runner(
    {
      gateway: { warmUpMs: Math.min(3_000, ms), ms },
      bare: { warmUpMs: 1_000, ms: Math.min(4_000, ms) },
      latencyMs: options.latency ? Math.min(5_000, ms) : 0,
      env: options.env,
    },
    identities,
  );
  try {
    await run(runner, options);
  } finally {
    await runner.stop();
    await identities.dispose();
  }
}

async function run(runner: Runner, options: Options): Promise<void> {
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  const results: { scenario: Scenario; figures: Figures; bare: number }[] = [];
  print(heading());
  for (let round = 0; round < options.rounds; round += 1) {
    for (const scenario of options.scenarios) {
      const before = await runner.bare(scenario.corpus);
      print(row('  bare', before));
      const figures = await runner.gateway(scenario);
      const after = await runner.bare(scenario.corpus);
      const bare = median([before.eventsPerCpuSecond, after.eventsPerCpuSecond]);
      results.push({ scenario, figures, bare });
      print(row(scenario.name, figures, figures.eventsPerCpuSecond / bare));
      print(row('  bare', after));
    }
  }
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(results, null, 2)}\n`);
}
