import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { PluginDefinition, Transform } from '@activity-gateway/pipeline/api';
import { plugins } from '../../plugins/index.js';
import { prepareRounds, type Cost } from './decoder-rounds.js';
import { makeSubjects } from './decoder-subjects.js';

/**
 * What parsers cost, stage by stage: `npm run build`, then `node dist/test/bench/decoders.js`. With `--against` and the
 * `dist` folder of another build, that build's parsers take turns with this one's on the same lines.
 */
const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '9' },
    parser: { type: 'string' },
    against: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
/** Rounds before anything is measured, so that code is compiled. */
const WARM_UP = 3;

function parserOf(all: readonly PluginDefinition[], name: string): Transform {
  const definition = all.find(({ id }) => id === `parsers.${name}`);
  if (definition?.kind !== 'parser') throw new Error(`There is no parser ${name}.`);
  const options = { max_event_age: '400d', max_clock_skew: '1d', time_zone: 'UTC' };
  return definition.create(options as never, undefined as never);
}

async function otherPlugins(dist: string): Promise<readonly PluginDefinition[]> {
  const file = pathToFileURL(resolve(dist, 'plugins/index.js')).href;
  return ((await import(file)) as { plugins: readonly PluginDefinition[] }).plugins;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return Number((sorted[Math.floor(sorted.length / 2)] ?? Number.NaN).toFixed(3));
}

function medians(costs: readonly Cost[]): Cost {
  const of = (stage: keyof Cost): number => median(costs.map((cost) => cost[stage]));
  return { read: of('read'), validate: of('validate'), decode: of('decode'), apply: of('apply') };
}

const builds = [plugins];
if (values.against !== undefined) builds.push(await otherPlugins(values.against));

const subjects = makeSubjects(Number(values.events), (name) => parserOf(plugins, name))
  .filter(({ parser }) => values.parser === undefined || parser === values.parser)
  .map((subject) => {
    const parsers = builds.map((all) => parserOf(all, subject.parser));
    return { ...subject, run: prepareRounds(subject, parsers), costs: builds.map((): Cost[] => []) };
  });

// Subjects take turns, so that a slow minute meets all of them and shared code sees what it sees in a mixed flow.
for (let round = -WARM_UP; round < rounds; round += 1) {
  for (const { run, costs } of subjects) {
    const cost = run();
    if (round >= 0) cost.forEach((each, build) => costs[build]?.push(each));
  }
}

const rows = subjects.map(({ name, lines, costs }) => {
  const [own, other] = costs.map(medians);
  const bytes = Math.round(lines.reduce((sum, line) => sum + line.length, 0) / lines.length);
  return {
    lines: name,
    bytes,
    ...own,
    ...(other === undefined ? {} : { otherApply: other.apply, otherDecode: other.decode }),
  };
});

if (values.json) {
  process.stdout.write(
    `${JSON.stringify({ events: Number(values.events), rounds, node: process.version, rows })}\n`,
  );
} else {
  process.stdout.write(
    `CPU microseconds an event, ${values.events} lines each, median of ${rounds} rounds, Node ${process.version}\n\n`,
  );
  const titles = ['bytes', 'read', 'validate', 'decode', 'apply'];
  if (values.against !== undefined) titles.push('other decode', 'other apply', 'ratio');
  process.stdout.write(`${''.padEnd(24)}${titles.map((title) => title.padStart(14)).join('')}\n`);
  for (const row of rows) {
    const { bytes, read, validate, decode, apply, otherDecode, otherApply } = row;
    const figures = [bytes, read, validate, decode, apply].map((each) => String(each));
    if (otherApply !== undefined) {
      figures.push(String(otherDecode), String(otherApply), `${(otherApply / (apply ?? 1)).toFixed(2)}x`);
    }
    process.stdout.write(`${row.lines.padEnd(24)}${figures.map((each) => each.padStart(14)).join('')}\n`);
  }
}
