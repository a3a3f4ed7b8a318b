import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { GatewayError } from '@activity-gateway/pipeline/api';

/** What a command does with its arguments and options. Resolves with the exit code. */
export type Handler<Options> = (options: Options, ...args: string[]) => Promise<number>;

/**
 * A command of the program: `commander`'s, whose errors are `GatewayError`s with the code `CLI_USAGE` and a hint, and
 * whose handler gives an exit code.
 */
export class CliCommand extends Command {
  /** Of the handler that has run; on the command that `parseAsync` was called on. */
  exitCode = 0;

  constructor(name?: string) {
    super(name);
    this.exitOverride()
      // What is wrong is said by whoever catches the error.
      .configureOutput({ writeErr: () => undefined })
      .helpOption('-h, --help', 'show this text')
      .helpCommand(false)
      .allowExcessArguments(false);
  }

  override createCommand(name?: string): CliCommand {
    return new CliCommand(name);
  }

  /** Adds what the exit codes mean to the help. */
  exits(meaning: string): this {
    return this.addHelpText('after', `\nExit code: ${meaning}, 2 = wrong usage.`);
  }

  /** Sets what the command does. */
  runs<Options extends object = object>(handler: Handler<Options>): this {
    return this.action(async (...given: unknown[]) => {
      // Commander passes the arguments, then the options and the command itself.
      const args = given.slice(0, -2).flat() as (string | undefined)[];
      this.#exit(await handler(this.opts(), ...args.filter((each) => each !== undefined)));
    });
  }

  #exit(exitCode: number): void {
    this.exitCode = exitCode;
    if (this.parent instanceof CliCommand) this.parent.#exit(exitCode);
  }

  /**
   * Parses what follows the command's name and runs it.
   * @returns the exit code: the handler's, or 0 when help was asked for
   * @throws GatewayError `CLI_USAGE` when the command line is wrong; whatever the handler throws
   */
  async run(argv: readonly string[]): Promise<number> {
    try {
      await this.parseAsync([...argv], { from: 'user' });
      return this.exitCode;
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      if (error.exitCode === 0) return 0;
      throw usageError(error, this);
    }
  }
}

/** A wrong command line. */
export function usage(message: string, hint?: string): GatewayError {
  return new GatewayError('CLI_USAGE', message, hint);
}

/** Commander's error in the words of this program. */
function usageError({ code, message }: CommanderError, command: Command): GatewayError {
  const [quoted = '', other = ''] = [...message.matchAll(/'(.*?)(?: .*?)?'/g)].map(([, name]) => name);
  const [, meant] = /\(Did you mean (?:one of )?(.*)\?\)/.exec(message) ?? [];
  const hint =
    meant === undefined ? 'See --help.' : `Did you mean ${meant.startsWith('-') ? meant : `"${meant}"`}?`;
  switch (code) {
    case 'commander.unknownOption':
      return takesNoValue(quoted, command) ?? usage(`There is no option ${quoted}.`, hint);
    case 'commander.unknownCommand':
      return usage(`${command.name()} has no action "${quoted}".`, hint);
    case 'commander.excessArguments':
      return usage(`"${excessWord(command)}" is not expected here.`, 'See --help.');
    case 'commander.optionMissingArgument':
      return usage(`${quoted} needs a value.`);
    case 'commander.missingMandatoryOptionValue':
      return usage(`${quoted} is missing.`, 'See --help.');
    case 'commander.missingArgument':
      return usage(`${quoted} is missing.`, 'See --help.');
    case 'commander.conflictingOption':
      return usage(`${other} and ${quoted} do not go together.`, 'Leave one of them out.');
    case 'commander.invalidArgument':
      return usage(`${quoted} ${invalid(message, other)}`);
    case 'commander.help':
      return usage(
        `Say what to do: ${command.commands.map((each) => each.name()).join(', ')}.`,
        'See --help.',
      );
    default:
      return usage(message.replace(/^error: /, ''), 'See --help.');
  }
}

/** Says it in the words of the option's parser, or of commander's `choices`. */
function invalid(message: string, value: string): string {
  const why = message.slice(message.indexOf(' is invalid. ') + ' is invalid. '.length);
  const choices = why.startsWith('Allowed choices are ')
    ? why.slice('Allowed choices are '.length, -1)
    : undefined;
  return choices === undefined ? why : `must be one of ${choices}, not "${value}".`;
}

function takesNoValue(flag: string, command: Command): GatewayError | undefined {
  const [name = '', value] = flag.split('=', 2);
  if (value === undefined) return undefined;
  const known = [command, ...command.commands].some((each) => each.options.some(({ long }) => long === name));
  return known || name === '--help' ? usage(`${name} takes no value.`) : undefined;
}

/** The first argument that no command of the tree takes. */
function excessWord(command: Command): string | undefined {
  const failed = [...command.commands, command].find(
    ({ args, registeredArguments }) => args.length > registeredArguments.length,
  );
  return failed?.args[failed.registeredArguments.length];
}

/** Bounds of a number on the command line, both included. */
export interface NumberBounds {
  readonly min: number;
  readonly max: number;
  /** Whether fractions are allowed. */
  readonly fraction?: boolean;
}

/** Reads the value of an option as a number within bounds. */
export function numberIn({ min, max, fraction = false }: NumberBounds): (value: string) => number {
  return (value) => {
    const number = /^\d+(\.\d+)?$/.test(text(value)) ? Number(value) : Number.NaN;
    if (number >= min && number <= max && (fraction || Number.isInteger(number))) return number;
    const kind = fraction ? 'a number' : 'a whole number';
    throw new InvalidArgumentError(`must be ${kind} from ${min} to ${max}, not "${value}".`);
  };
}

/** Reads the value of an option as text; a missing one must not swallow the option that follows. */
export function text(value: string): string {
  if (value === '' || value.startsWith('--')) throw new InvalidArgumentError('needs a value.');
  return value;
}
