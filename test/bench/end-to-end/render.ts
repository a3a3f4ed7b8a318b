import { CORPORA, type CorpusName } from './corpora.js';
import { COLUMNS, thousands, type Line } from './columns.js';
import { median } from './numbers.js';
import type { Results } from './results.js';
import { bareRows, ratioToPeers, rowsOf, type Row } from './summary.js';

/** A table with columns of equal width, for a terminal. */
export function textTable(results: Results): string {
  const lines = cells(results);
  const widths = COLUMNS.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  const padded = lines.map((line) =>
    line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
  );
  return [...padded, '', ...remarks(results), ''].join('\n');
}

/** The results section of docs/PERFORMANCE.md. */
export function markdown(results: Results): string {
  const [head = [], ...rows] = cells(results);
  const ruled = [head, head.map((_, i) => (i === 0 ? '---' : '--:')), ...rows];
  const table = ruled.map((row) => `| ${row.join(' | ')} |`);
  const { cpu, cores, memoryGiB, kernel, node, openssl } = results.machine;
  const machine =
    `${results.when.slice(0, 10)}; ${cores} cores (${cpu}), ${memoryGiB} GiB, Linux ${kernel}, Node ${node}, ` +
    `OpenSSL ${openssl}; ${results.rounds} round(s) of ${results.seconds} s.`;
  return [machine, '', ...table, '', ...remarks(results).map((remark) => `- ${remark}`), ''].join('\n');
}

function cells(results: Results): string[][] {
  const bare = bareRows(results).map(({ corpus, figures }): Line => ({
    name: `bare loop: ${corpus}`,
    figures,
  }));
  const rows = rowsOf(results).map(({ run, ratioToBare }): Line => {
    const line = { name: run.scenario.name, figures: run.figures };
    return ratioToBare === undefined ? line : { ...line, ratio: ratioToBare };
  });
  const body = [...bare, ...rows].map((line) => COLUMNS.map(({ cell }) => cell(line) ?? '-'));
  return [COLUMNS.map(({ title }) => title), ...body];
}

/** What a table cannot say. */
function remarks(results: Results): string[] {
  const rows = rowsOf(results);
  return [
    ...rows.map(describe),
    ...comparisons(rows),
    ...results.runs.flatMap((run) => {
      switch (run.kind) {
        case 'start':
          return [
            `start: ready after ${middle(run.firstMs)} ms with an empty data directory, ${middle(run.againMs)} ms again`,
          ];
        case 'idle':
          return [
            `idle: ${(run.bytesPerConnection / 1024).toFixed(1)} KiB for each of ${run.connections} connections`,
          ];
        case 'skipped':
          return [`${run.scenario.name}: skipped. ${run.reason}`];
        case 'failed':
          return [`${run.scenario.name}: FAILED. ${run.reason}`];
        default:
          return [];
      }
    }),
  ];
}

function describe({ run }: Row): string {
  const { name, about, corpus } = run.scenario;
  const program = run.version === undefined ? '' : ` (${run.version})`;
  const input = CORPORA[corpus satisfies CorpusName];
  return `${name}${program}: ${about}; ${input}`;
}

function comparisons(rows: readonly Row[]): string[] {
  const peers = ratioToPeers(rows);
  const figures = (name: string): Line['figures'] | undefined =>
    rows.find(({ run }) => run.scenario.name === name)?.run.figures;
  const [one, two] = [figures('reactors-1'), figures('reactors-2')];
  return [
    ...(peers === undefined
      ? []
      : [`clickhouse carries ${peers.toFixed(2)} times the events a CPU second of the better peer`]),
    ...(one && two
      ? [
          `2 reactors take ${(two.takenPerSecond / one.takenPerSecond).toFixed(2)} times what 1 takes, at ` +
            `${thousands(two.eventsPerCpuSecond)} events a CPU second against ${thousands(one.eventsPerCpuSecond)}`,
        ]
      : []),
  ];
}

function middle(numbers: readonly number[]): string {
  return Math.round(median(numbers)).toString();
}
