import { Option } from 'commander';
import { CliCommand, numberIn, text } from '../cli-command.js';
import { addRestOptions, type GivenRestOptions } from '../rest/rest-options.js';

/** Which dead letters, as the REST API's parameters of these names. */
const FILTERS = ['code', 'type', 'stage', 'agent', 'pipeline', 'from', 'to'] as const;

/** The options of all actions; which of them an action has, its declaration says. */
export interface DeadLetterOptions
  extends GivenRestOptions, Partial<Record<(typeof FILTERS)[number], string>> {
  readonly replayed?: 'yes' | 'no';
  readonly limit?: number;
  readonly cursor?: string;
  /** File for an export; standard output without one. */
  readonly out?: string;
  readonly json?: boolean;
}

/** Begins an action that asks the REST API. */
export function deadLetterAction(name: string, description: string): CliCommand {
  return addRestOptions(new CliCommand(name).description(description));
}

/** Adds the options that say which dead letters. */
export function addFilters(command: CliCommand): CliCommand {
  return command
    .option('--code <code>', 'such as missing_key', text)
    .option('--type <type>', 'type of event, such as file', text)
    .option('--stage <stage>', 'frame, parse, validate or sink', text)
    .option('--agent <agent>', 'hostname of the agent, or the SPKI hash of its key', text)
    .option('--pipeline <name>', 'of one pipeline', text)
    .option('--from <time>', 'received at this time or later, ISO 8601', text)
    .option('--to <time>', 'received before this time, ISO 8601', text);
}

/** The option that leaves out what was replayed, or all else. */
export function replayedOption(): Option {
  return new Option('--replayed <yes|no>', 'only what was replayed, or only what was not').choices([
    'yes',
    'no',
  ]);
}

/** Adds the options for a page of at most `max` dead letters. */
export function addPaging(command: CliCommand, max: number, usual: string): CliCommand {
  return command
    .option('--limit <n>', usual, numberIn({ min: 1, max }))
    .option('--cursor <text>', 'continues after the cursor of the previous answer', text)
    .option('--json', 'print the answer unchanged');
}

/** The filter as parameters of the REST API. */
export function filterOf(options: DeadLetterOptions): Record<string, string> {
  const given = FILTERS.flatMap((name) =>
    options[name] === undefined ? [] : [[name, options[name]] as const],
  );
  const { replayed } = options;
  return { ...Object.fromEntries(given), ...(replayed && { replayed: String(replayed === 'yes') }) };
}
