import { GatewayError } from '@app/pipeline/api';
import { closest } from 'fastest-levenshtein';
import { parseNumber, parseOptions } from '../agent/parse-options.js';
import { REST_OPTIONS, REST_USAGE, restOptionsOf, type RestOptions } from '../rest/rest-options.js';

/** What `dead-letters` can do. */
export const ACTIONS = ['list', 'summary', 'show', 'export', 'replay'] as const;
/** One of them. */
export type Action = (typeof ACTIONS)[number];

/** What `dead-letters` was asked to do. */
export interface DeadLetterOptions extends RestOptions {
  readonly action: Action | 'help';
  /** Parameters of the REST API. */
  readonly filter: Readonly<Record<string, string>>;
  readonly ids: readonly string[];
  readonly limit: number | undefined;
  readonly cursor: string | undefined;
  /** File for an export; standard output without one. */
  readonly out: string | undefined;
  readonly json: boolean;
}

/** What `--help` prints. */
export const DEAD_LETTERS_USAGE = `Usage: gateway dead-letters <action> [options]

Looks at the events that were refused, and sends them through the pipelines again. It asks the REST API of a gateway.

  list              the newest ones
  summary           how many, by code
  show ID           one of them, whole
  export            all of them, one JSON object a line, oldest first
  replay [ID...]    sends them through their pipelines again, after a parser or a table was mended; what is stored then is
                    marked and not sent again

Which ones (list, summary, export, replay):
  --code CODE       such as missing_key
  --stage STAGE     frame, parse, validate or sink
  --agent AGENT     hostname of the agent, or the SPKI hash of its key
  --pipeline NAME   of one pipeline
  --from T, --to T  received in this period, ISO 8601; the end is not included
  --replayed yes|no list, summary and export only

  --limit N         list: dead letters a page, 100 by default; replay: dead letters at most, 10000 by default
  --cursor TEXT     list and replay: where the call before has ended
  --out FILE        export: a file in place of the standard output
  --json            list, summary and replay: the answer as it comes

${REST_USAGE}
Exit code: 0 = done, 1 = failed, or not all could be replayed, 2 = wrong usage.
`;

const OPTIONS = {
  help: { type: 'boolean' },
  code: { type: 'string' },
  stage: { type: 'string' },
  agent: { type: 'string' },
  pipeline: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  replayed: { type: 'string' },
  limit: { type: 'string' },
  cursor: { type: 'string' },
  out: { type: 'string' },
  json: { type: 'boolean' },
  ...REST_OPTIONS,
} as const;
const FILTERS = ['code', 'stage', 'agent', 'pipeline', 'from', 'to'] as const;

/** @throws GatewayError `CLI_USAGE`: what is wrong with the command line */
export function parseDeadLetterOptions(argv: readonly string[], env: NodeJS.ProcessEnv): DeadLetterOptions {
  const firstOption = argv.findIndex((word) => word.startsWith('-'));
  const words = firstOption === -1 ? argv : argv.slice(0, firstOption);
  const texts = parseOptions(argv.slice(words.length), OPTIONS);
  const action = texts.help === true ? 'help' : actionOf(words[0]);
  const ids = words.slice(1);
  checkIds(action, ids);
  const filter = Object.fromEntries(FILTERS.flatMap((name) => pair(name, texts[name])));
  return {
    action,
    ids,
    ...restOptionsOf(texts, env),
    filter: { ...filter, ...replayedOf(texts.replayed, action) },
    limit: parseNumber('limit', texts.limit, { min: 1, max: action === 'replay' ? 100_000 : 1_000 }),
    cursor: texts.cursor,
    out: texts.out,
    json: texts.json ?? false,
  };
}

function pair(name: string, value: string | undefined): [string, string][] {
  return value === undefined ? [] : [[name, value]];
}

function actionOf(word: string | undefined): Action {
  const found = ACTIONS.find((action) => action === word);
  if (found !== undefined) return found;
  if (word === undefined) {
    throw new GatewayError('CLI_USAGE', `Say what to do: ${ACTIONS.join(', ')}.`, 'See --help.');
  }
  const hint = `Did you mean "${closest(word, [...ACTIONS])}"? All: ${ACTIONS.join(', ')}.`;
  throw new GatewayError('CLI_USAGE', `dead-letters has no action "${word}".`, hint);
}

function checkIds(action: DeadLetterOptions['action'], ids: readonly string[]): void {
  if (action === 'show' && ids.length !== 1) throw new GatewayError('CLI_USAGE', 'show needs one id.');
  const [first] = ids;
  if (first !== undefined && action !== 'show' && action !== 'replay' && action !== 'help') {
    throw new GatewayError('CLI_USAGE', `"${first}" is not expected here.`, 'See --help.');
  }
}

function replayedOf(text: string | undefined, action: string): { replayed?: string } {
  if (text === undefined) return {};
  if (action === 'replay') throw new GatewayError('CLI_USAGE', '--replayed is of no use for a replay.');
  if (text !== 'yes' && text !== 'no') throw new GatewayError('CLI_USAGE', '--replayed must be yes or no.');
  return { replayed: String(text === 'yes') };
}
