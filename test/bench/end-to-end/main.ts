import { writeFile } from 'node:fs/promises';
import { helpText } from './help.js';
import { Identities } from './identities.js';
import { describeMachine } from './machine.js';
import { readOptions, type Options } from './options.js';
import { requireLinux } from './proc.js';
import { markdown, textTable } from './render.js';
import type { Results } from './results.js';
import { Runner, type RunPlan } from './run.js';
import { describeRun } from './progress.js';
import { Session } from './session.js';

/**
 * The end-to-end benchmark.
 * @returns whether every scenario came to its end with every event accounted for
 * @throws Error for a wrong command line, or on another system than Linux
 */
export async function endToEnd(args: readonly string[]): Promise<boolean> {
  const options = readOptions(args);
  if (options.help) {
    process.stdout.write(helpText());
    return true;
  }
  requireLinux();
  const results = emptyResults(options);
  await runAll(options, results);
  process.stdout.write(options.markdown ? markdown(results) : `\n${textTable(results)}`);
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(results, null, 2)}\n`);
  return results.runs.every(({ kind }) => kind !== 'failed');
}

async function runAll(options: Options, results: Results): Promise<void> {
  const identities = await Identities.open();
  const runner = new Runner(planOf(options), identities);
  const session = new Session(runner, results, (run) => process.stderr.write(`${describeRun(run)}\n`));
  // What was started ends through the code that waits for it: an interrupt only makes that sooner.
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
    void runner.stop();
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    for (let round = 0; round < options.rounds; round += 1) {
      for (const scenario of options.scenarios) if (!interrupted) await session.run(scenario);
    }
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    await runner.stop();
    await identities.dispose();
  }
}

function planOf({ seconds, latency, set }: Options): RunPlan {
  const ms = seconds * 1_000;
  return {
    flood: { warmUpMs: Math.min(40_000, 4 * ms), ms },
    bare: { warmUpMs: Math.min(1_500, ms), ms: Math.min(3_000, ms) },
    latencyMs: latency ? Math.min(4_000, ms) : 0,
    env: set,
  };
}

function emptyResults({ seconds, rounds, set }: Options): Results {
  return { when: new Date().toISOString(), machine: describeMachine(), seconds, rounds, set, runs: [] };
}
