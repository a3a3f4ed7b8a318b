import { closest, distance } from 'fastest-levenshtein';
import { programVersion } from '../version.js';
import { CliCommand, usage } from './cli-command.js';
import { printError } from './print-error.js';

/** A command of the program, before its file is loaded: a command loads no more than it needs. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<CliCommand>;
}

/** All commands, in the order of the help. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'run',
    summary: 'Starts the gateway (the default).',
    load: async () => (await import('./run.command.js')).runCommand(),
  },
  {
    name: 'validate',
    summary: 'Checks the configuration and lists every problem.',
    load: async () => (await import('./validate.command.js')).validateCommand(),
  },
  {
    name: 'agent',
    summary: 'Simulates agents that enroll and stream events.',
    load: async () => (await import('./agent.command.js')).agentCommand(),
  },
  {
    name: 'demo',
    summary: 'Runs a gateway with agents and shows what arrives in ClickHouse.',
    load: async () => (await import('./demo.command.js')).demoCommand(),
  },
  {
    name: 'store',
    summary: 'Copies agents, tokens, settings, keys and audit trail to another store.',
    load: async () => (await import('./store.command.js')).storeCommand(),
  },
  {
    name: 'dead-letters',
    summary: 'Lists, exports and replays dead letters.',
    load: async () => (await import('./dead-letters.command.js')).deadLettersCommand(),
  },
  {
    name: 'spool',
    summary: 'Inspects, verifies and exports the spools on disk.',
    load: async () => (await import('./spool.command.js')).spoolCommand(),
  },
  {
    name: 'certificate',
    summary: 'Confirms a changed server key.',
    load: async () => (await import('./certificate.command.js')).certificateCommand(),
  },
  {
    name: 'retention',
    summary: 'Shows and confirms a shorter retention, which deletes events.',
    load: async () => (await import('./retention.command.js')).retentionCommand(),
  },
  { name: 'help', summary: 'Shows this text, or the help of a command.', load: async () => helpCommand() },
  { name: 'version', summary: 'Shows the version.', load: async () => versionCommand() },
];

const ALIASES: ReadonlyMap<string, string> = new Map([
  ['--help', 'help'],
  ['-h', 'help'],
  ['--version', 'version'],
  ['-v', 'version'],
]);

/**
 * Runs the program; says what went wrong on standard error, without a stack trace.
 * @param argv the command line behind the program's name
 * @returns the exit code: 2 when the command line is wrong, 1 when something else is
 */
export async function runProgram(argv: readonly string[]): Promise<number> {
  const [given = 'run', ...rest] = argv;
  try {
    return await (await findCommand(ALIASES.get(given) ?? given)).run(rest);
  } catch (error) {
    return printError(error);
  }
}

/** The command of a name. @throws GatewayError `CLI_USAGE` with the nearest name when there is none */
async function findCommand(name: string): Promise<CliCommand> {
  const entry = COMMANDS.find((each) => each.name === name);
  if (entry !== undefined) return entry.load();
  const names = COMMANDS.map((each) => each.name);
  const nearest = closest(name, names);
  const near = distance(name, nearest) <= Math.max(2, nearest.length / 2);
  const hint = near ? `Did you mean "${nearest}"?` : `Commands: ${names.join(', ')}.`;
  throw usage(`There is no command "${name}".`, hint);
}

function helpCommand(): CliCommand {
  return new CliCommand('gateway help')
    .description('Shows the commands, or the help of one command.')
    .argument('[command]', 'name of a command')
    .runs(async (_, name) => {
      (name === undefined ? overview() : await findCommand(name)).outputHelp();
      return 0;
    });
}

function overview(): CliCommand {
  const program = new CliCommand('gateway')
    .usage('[command] [options]')
    .description('Takes activity events from agents and stores them in ClickHouse.')
    .addHelpText('after', '\n"gateway <command> --help" shows the options of a command.');
  for (const { name, summary } of COMMANDS) program.command(name).description(summary);
  return program;
}

function versionCommand(): CliCommand {
  return new CliCommand('gateway version').description('Shows the version.').runs(async () => {
    process.stdout.write(`${programVersion()}\n`);
    return 0;
  });
}
