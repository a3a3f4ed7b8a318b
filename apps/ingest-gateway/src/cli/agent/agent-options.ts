import { Option } from 'commander';
import { closest } from 'fastest-levenshtein';
import { EVENT_KINDS, parseToken, type EnrollmentToken, type EventKind } from '@activity-gateway/agent';
import { CliCommand, numberIn, text, usage } from '../cli-command.js';

/** What `agent` was asked to do. */
export interface AgentOptions {
  readonly host: string;
  readonly port: number;
  /** Without one, agents have to be enrolled already. */
  readonly token?: EnrollmentToken;
  readonly agents: number;
  /** Over all agents; without it, and without a file, they send until the duration is over or they are stopped. */
  readonly events?: number;
  /** Seconds. */
  readonly duration?: number;
  /** Events a second over all agents; as many as the gateway takes by default. */
  readonly rate?: number;
  readonly types: readonly EventKind[];
  readonly file?: string;
  /** Where the agents keep their keys. */
  readonly data: string;
  readonly seed: number;
  readonly badRatio: number;
  /** Whether agents ask for acknowledgements. */
  readonly ack: boolean;
}

/** Declares the options of `agent`. */
export function addAgentOptions(command: CliCommand): CliCommand {
  return command
    .option('--host <host>', 'gateway', text, '127.0.0.1')
    .option('--port <port>', 'its agent port', numberIn({ min: 1, max: 65_535 }), 1514)
    .option('--token <token>', 'enrollment token; leave it out once the agents are enrolled', (value) =>
      parseToken(text(value)),
    )
    .option(
      '--agents <n>',
      'agents in this process, each with its own key pair',
      numberIn({ min: 1, max: 1_000 }),
      1,
    )
    .addOption(
      generated('--events <n>', 'events to send, over all agents together', 1, Number.MAX_SAFE_INTEGER),
    )
    .option(
      '--duration <s>',
      'seconds to send; without --events, --duration and --file: until Ctrl-C',
      numberIn({ min: 0.001, max: 2_000_000, fraction: true }),
    )
    .option(
      '--rate <r>',
      'events a second, over all agents together; unlimited by default',
      numberIn({ min: 0.001, max: 10_000_000, fraction: true }),
    )
    .addOption(
      new Option('--types <list>', `of ${EVENT_KINDS.join(',')}`)
        .argParser(parseTypes)
        .default(EVENT_KINDS, 'all')
        .conflicts('file'),
    )
    .option(
      '--file <file>',
      'send the lines of this file unchanged, each once, instead of generated events',
      text,
    )
    .option('--data <dir>', 'where the agents keep their keys: DIR/agent-1 ...', text, './data/agents')
    .addOption(generated('--seed <n>', 'seed of the generated events', 0, 4_294_967_295).default(1))
    .addOption(
      new Option('--bad-ratio <x>', 'share of events that become dead letters, 0 to 1')
        .argParser(numberIn({ min: 0, max: 1, fraction: true }))
        .default(0)
        .conflicts('file'),
    )
    .option('--no-ack', 'ask for no acknowledgements: what a broken connection has taken is not sent again');
}

/** Shapes the generated events, and so means nothing for a file. */
function generated(flags: string, description: string, min: number, max: number): Option {
  return new Option(flags, description).argParser(numberIn({ min, max })).conflicts('file');
}

function parseTypes(value: string): readonly EventKind[] {
  return text(value)
    .split(',')
    .map((part) => {
      const name = part.trim().toLowerCase();
      const kind = EVENT_KINDS.find((known) => known === name);
      if (kind !== undefined) return kind;
      const hint = `Did you mean "${closest(name, [...EVENT_KINDS])}"? All: ${EVENT_KINDS.join(', ')}.`;
      throw usage(`There is no event type "${name}".`, hint);
    });
}
