import { COLUMNS, type Line } from './columns.js';
import { CORPORA } from './corpora.js';
import { remarks } from './remarks.js';
import type { Results } from './results.js';
import { bareRows, rowsOf } from './summary.js';

/** A table with columns of equal width, for a terminal. */
export function textTable(results: Results): string {
  const lines = cells(results);
  const widths = COLUMNS.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  const pad = (cell: string, i: number): string =>
    i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0);
  return [...lines.map((line) => line.map(pad).join('  ')), '', ...remarks(results), ''].join('\n');
}

/** The results section of `docs/reference/performance.md`. */
export function markdown(results: Results): string {
  // What peers do and do not do is among the remarks.
  const own = rowsOf(results).filter(({ run }) => run.kind === 'load');
  const scenarios = own.map(({ run: { scenario } }) => [
    scenario.name,
    scenario.about,
    CORPORA[scenario.corpus],
  ]);
  return [
    machineLine(results),
    '',
    ...markdownTable(cells(results), '--:'),
    '',
    ...remarks(results).map((remark) => `- ${remark}`),
    '',
    ...markdownTable([['scenario', 'what', 'input'], ...scenarios], '---'),
    '',
  ].join('\n');
}

function machineLine({ when, machine, rounds, seconds, set }: Results): string {
  const { cpu, cores, memoryGiB, kernel, node, openssl } = machine;
  const settings = Object.entries(set).map(([name, value]) => `; ${name}=${value}`);
  const versions = `Linux ${kernel}, Node ${node}, OpenSSL ${openssl}`;
  return (
    `${when.slice(0, 10)}: ${cores} cores (${cpu}), ${memoryGiB} GiB, ${versions}; ` +
    `${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${seconds} s${settings.join('')}.`
  );
}

function markdownTable(rows: readonly (readonly string[])[], align: string): string[] {
  const [head = [], ...body] = rows;
  const rule = head.map((_, i) => (i === 0 ? '---' : align));
  return [head, rule, ...body].map((row) => `| ${row.join(' | ')} |`);
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
