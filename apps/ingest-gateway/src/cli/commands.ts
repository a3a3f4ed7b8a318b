import { closest, distance } from 'fastest-levenshtein';
import { programVersion } from '../version.js';

/** One command of the program. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Loads no more than this command needs, and runs it. Gives the exit code. */
  run(argv: string[]): Promise<number>;
}

/** All commands, in the order of the help. */
export const commands: readonly Command[] = [
  {
    name: 'run',
    summary: 'Starts the gateway (this is the default).',
    run: async (argv) => (await import('./run.command.js')).runCommand(argv),
  },
  {
    name: 'validate',
    summary: 'Checks the configuration and tells every problem at once.',
    run: async (argv) => (await import('./validate.command.js')).validateCommand(argv),
  },
  {
    name: 'agent',
    summary: 'Simulates agents that enroll and stream events.',
    run: async (argv) => (await import('./agent.command.js')).agentCommand(argv),
  },
  {
    name: 'demo',
    summary: 'Shows the whole job: gateway, agents, and what arrived in ClickHouse.',
    run: async (argv) => (await import('./demo.command.js')).demoCommand(argv),
  },
  {
    name: 'store',
    summary: 'Copies agents, tokens, settings, keys and audit trail to another store.',
    run: async (argv) => (await import('./store.command.js')).storeCommand(argv),
  },
  {
    name: 'dead-letters',
    summary: 'Lists, exports and replays events that were refused.',
    run: async (argv) => (await import('./dead-letters.command.js')).deadLettersCommand(argv),
  },
  {
    name: 'spool',
    summary: 'Looks into what waits on disk for the sinks: inspect, verify, export.',
    run: async (argv) => (await import('./spool.command.js')).spoolCommand(argv),
  },
  {
    name: 'certificate',
    summary: 'Confirms a changed key of the server.',
    run: async (argv) => (await import('./certificate.command.js')).certificateCommand(argv),
  },
  {
    name: 'retention',
    summary: 'Shows and confirms a shorter retention, which deletes events.',
    run: async (argv) => (await import('./retention.command.js')).retentionCommand(argv),
  },
  { name: 'help', summary: 'Shows this text.', run: async () => print(usage()) },
  { name: 'version', summary: 'Shows the version.', run: async () => print(`${programVersion()}\n`) },
];

const ALIASES: Readonly<Record<string, string>> = {
  '--help': 'help',
  '-h': 'help',
  '--version': 'version',
  '-v': 'version',
};

/**
 * Finds the command that a command line begins with; `run` without one.
 * @returns the command and the rest, or what to tell the user when there is no such command
 */
export function findCommand(argv: readonly string[]): { command: Command; rest: string[] } | string {
  const given = argv[0] ?? 'run';
  const name = ALIASES[given] ?? given;
  const command = commands.find((each) => each.name === name);
  return command === undefined ? unknown(given) : { command, rest: argv.slice(1) };
}

function unknown(given: string): string {
  const names = commands.map((each) => each.name);
  const nearest = closest(given, names);
  const near = distance(given, nearest) <= Math.max(2, nearest.length / 2);
  const hint = near ? `Did you mean "${nearest}"?` : `Commands: ${names.join(', ')}.`;
  return `There is no command "${given}". ${hint}`;
}

function usage(): string {
  const width = Math.max(...commands.map((command) => command.name.length)) + 2;
  const lines = commands.map((command) => `  ${command.name.padEnd(width)}${command.summary}`);
  return `Usage: gateway [command] [options]\n\n${lines.join('\n')}\n\n"gateway <command> --help" tells the options of a command.\n`;
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}
