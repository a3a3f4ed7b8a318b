import { EVENT_KINDS, parseToken, type EnrollmentToken, type EventKind } from '@app/agent';
import { GatewayError } from '@app/pipeline/api';
import { closest } from 'fastest-levenshtein';
import { parseNumber, parseOptions, type OptionTexts } from './parse-options.js';

/** What `agent` was asked to do. */
export interface AgentOptions {
  readonly help: boolean;
  readonly host: string;
  readonly port: number;
  /** Without one, agents have to be enrolled already. */
  readonly token: EnrollmentToken | undefined;
  readonly agents: number;
  /** Over all agents; without it, and without a file, they send until the duration is over or they are stopped. */
  readonly events: number | undefined;
  readonly durationMs: number | undefined;
  /** Events a second over all agents; as many as the gateway takes by default. */
  readonly rate: number | undefined;
  readonly types: readonly EventKind[];
  readonly file: string | undefined;
  readonly dataDir: string;
  readonly seed: number;
  readonly badRatio: number;
  /** Whether agents ask for acknowledgements. */
  readonly ack: boolean;
}

/** What `--help` prints. */
export const AGENT_USAGE = `Simulates agents: enrolls them, then streams events to a gateway.

  npm run agent -- --host 127.0.0.1 --port 1514 --token nam1....

  --host HOST       gateway, 127.0.0.1 by default
  --port PORT       its agent port, 1514 by default
  --token TOKEN     enrollment token; leave it out once the agents are enrolled
  --agents N        agents in this process, 1 by default; each has its own key pair
  --events N        events to send, over all agents together
  --duration S      seconds to send; without --events, --duration and --file: until Ctrl-C
  --rate R          events a second, over all agents together; unlimited by default
  --types LIST      of ${EVENT_KINDS.join(',')}; all by default
  --file FILE       sends the lines of this file as they are, each once, instead of generated events
  --data DIR        where the agents keep their keys, ./data/agents by default: DIR/agent-1 ...
  --seed N          seed of the generated events, 1 by default
  --bad-ratio X     share of events that belong into the dead letters, 0 to 1, 0 by default
  --no-ack          asks for no acknowledgements: what a connection that breaks has taken is not sent again
`;

const OPTIONS = {
  help: { type: 'boolean' },
  host: { type: 'string' },
  port: { type: 'string' },
  token: { type: 'string' },
  agents: { type: 'string' },
  events: { type: 'string' },
  duration: { type: 'string' },
  rate: { type: 'string' },
  types: { type: 'string' },
  file: { type: 'string' },
  data: { type: 'string' },
  seed: { type: 'string' },
  'bad-ratio': { type: 'string' },
  'no-ack': { type: 'boolean' },
} as const;

/** Shapes the generated events, and so means nothing for a file. */
const GENERATOR_OPTIONS = ['events', 'types', 'seed', 'bad-ratio'] as const;

/** @throws GatewayError `CLI_USAGE` or `AGENT_TOKEN_INVALID`: what is wrong with the command line */
export function parseAgentOptions(argv: readonly string[]): AgentOptions {
  const texts = parseOptions(argv, OPTIONS);
  checkFile(texts);
  const seconds = parseNumber('duration', texts.duration, { min: 0.001, max: 2_000_000, fraction: true });
  return {
    help: texts.help ?? false,
    host: texts.host ?? '127.0.0.1',
    port: parseNumber('port', texts.port, { min: 1, max: 65_535 }) ?? 1514,
    token: texts.token === undefined ? undefined : parseToken(texts.token),
    agents: parseNumber('agents', texts.agents, { min: 1, max: 1_000 }) ?? 1,
    events: parseNumber('events', texts.events, { min: 1, max: Number.MAX_SAFE_INTEGER }),
    durationMs: seconds === undefined ? undefined : seconds * 1000,
    rate: parseNumber('rate', texts.rate, { min: 0.001, max: 10_000_000, fraction: true }),
    types: parseTypes(texts.types),
    file: texts.file,
    dataDir: texts.data ?? './data/agents',
    seed: parseNumber('seed', texts.seed, { min: 0, max: 4_294_967_295 }) ?? 1,
    badRatio: parseNumber('bad-ratio', texts['bad-ratio'], { min: 0, max: 1, fraction: true }) ?? 0,
    ack: texts['no-ack'] !== true,
  };
}

function checkFile(texts: OptionTexts<typeof OPTIONS>): void {
  const other =
    texts.file === undefined ? undefined : GENERATOR_OPTIONS.find((name) => texts[name] !== undefined);
  if (other === undefined) return;
  throw new GatewayError(
    'CLI_USAGE',
    `--file and --${other} do not go together.`,
    'A file is sent as it is, all of it: leave one of them out.',
  );
}

function parseTypes(text: string | undefined): readonly EventKind[] {
  if (text === undefined) return EVENT_KINDS;
  return text.split(',').map((part) => {
    const name = part.trim().toLowerCase();
    const kind = EVENT_KINDS.find((known) => known === name);
    if (kind !== undefined) return kind;
    const hint = `Did you mean "${closest(name, [...EVENT_KINDS])}"? All: ${EVENT_KINDS.join(', ')}.`;
    throw new GatewayError('CLI_USAGE', `There is no event type "${name}".`, hint);
  });
}
