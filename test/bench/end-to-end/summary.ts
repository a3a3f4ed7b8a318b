import type { CorpusName } from './corpora.js';
import { median } from './numbers.js';
import type { BareRun, LoadRun, Results, Run } from './results.js';

/** A scenario over all rounds: the run in the middle, and how it compares. */
export interface Row {
  readonly run: LoadRun;
  /** Events a CPU second against those of the bare loop; the middle of all rounds. */
  readonly ratioToBare?: number;
}

/** Bare loops that a run is compared with. */
const NEAREST = 3;

/** One row a scenario, in the order of their first runs. */
export function rowsOf(results: Results): Row[] {
  const names = new Set(results.runs.filter(isLoad).map(({ scenario }) => scenario.name));
  return [...names].map((name) => rowOf(results.runs, name));
}

/** One row for each input of the bare loop: its middle run. */
export function bareRows(results: Results): BareRun[] {
  const bare = results.runs.filter(isBare);
  const corpora = new Set(bare.map(({ corpus }) => corpus));
  return [...corpora].map((corpus) => middle(bare.filter((run) => run.corpus === corpus)));
}

/** How many times the better peer's events a CPU second a scenario carries, where peers ran on its input. */
export function ratioToPeers(rows: readonly Row[], name: string): number | undefined {
  const own = rows.find(({ run }) => run.scenario.name === name);
  const peers = rows
    .filter(({ run }) => run.kind === 'peer' && run.scenario.corpus === own?.run.scenario.corpus)
    .map(({ run }) => run.figures.eventsPerCpuSecond);
  if (own === undefined || peers.length === 0) return undefined;
  return own.run.figures.eventsPerCpuSecond / Math.max(...peers);
}

/** What the run at an index is compared with: the bare loop's middle one of the nearest, on the same input. */
export function bareNear(runs: readonly Run[], index: number, corpus: CorpusName): number | undefined {
  const bare = runs.flatMap((run, at) => (isBare(run) && run.corpus === corpus ? [{ run, at }] : []));
  const nearest = bare.sort((a, b) => Math.abs(a.at - index) - Math.abs(b.at - index)).slice(0, NEAREST);
  if (nearest.length === 0) return undefined;
  return median(nearest.map(({ run }) => run.figures.eventsPerCpuSecond));
}

function rowOf(runs: readonly Run[], name: string): Row {
  const own = runs.flatMap((run, at) => (isLoad(run) && run.scenario.name === name ? [{ run, at }] : []));
  const ratios = own.flatMap(({ run, at }) => {
    const bare = bareNear(runs, at, run.scenario.corpus);
    return bare === undefined ? [] : [run.figures.eventsPerCpuSecond / bare];
  });
  const run = middle(own.map((each) => each.run));
  return ratios.length === 0 ? { run } : { run, ratioToBare: median(ratios) };
}

/** By events a CPU second; of two the lower. */
function middle<T extends LoadRun | BareRun>(runs: readonly T[]): T {
  const sorted = [...runs].sort((a, b) => a.figures.eventsPerCpuSecond - b.figures.eventsPerCpuSecond);
  const found = sorted[Math.floor((sorted.length - 1) / 2)];
  if (found === undefined) throw new Error('There is no run.');
  return found;
}

function isLoad(run: Run): run is LoadRun {
  return run.kind === 'load' || run.kind === 'peer';
}

function isBare(run: Run): run is BareRun {
  return run.kind === 'bare';
}
