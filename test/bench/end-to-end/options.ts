import { parseArgs } from 'node:util';
import { scenarios, type Scenario } from './scenarios.js';

/** What the command line asks for. */
export interface Options {
  readonly scenarios: readonly Scenario[];
  readonly seconds: number;
  readonly rounds: number;
  readonly latency: boolean;
  readonly json: string | undefined;
  /** Variables for the gateway. */
  readonly set: NodeJS.ProcessEnv;
  readonly markdown: boolean;
  readonly help: boolean;
}

/** Reads the command line. @throws Error that says what is wrong with it */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: { type: 'string', multiple: true },
      seconds: { type: 'string', default: '10' },
      rounds: { type: 'string', default: '1' },
      set: { type: 'string', multiple: true, default: [] },
      'no-latency': { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    scenarios: chosen(values.scenario?.flatMap((names) => names.split(','))),
    seconds: positive('--seconds', values.seconds),
    rounds: positive('--rounds', values.rounds),
    latency: !values['no-latency'],
    json: values.json,
    set: Object.fromEntries(values.set.map(assignment)),
    markdown: values.markdown,
    help: values.help,
  };
}

function chosen(names: readonly string[] | undefined): readonly Scenario[] {
  if (names === undefined) return scenarios;
  return names.map((name) => {
    const found = scenarios.find((scenario) => scenario.name === name);
    if (found !== undefined) return found;
    const known = scenarios.map((scenario) => scenario.name).join(', ');
    throw new Error(`There is no scenario "${name}". There are: ${known}.`);
  });
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`${name} has to be a number above 0, not "${text}".`);
}

function assignment(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new Error(`--set takes NAME=value, not "${text}".`);
}
