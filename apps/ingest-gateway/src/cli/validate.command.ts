import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import {
  generateConfigSchemas,
  validateFile,
  type GatewayConfig,
  type PluginRegistry,
  type ValidatedFile,
} from '@app/pipeline';
import { GatewayError } from '@app/pipeline/api';
import { createPluginRegistry } from '../plugins.js';
import { settingsSchema } from '../settings/settings-schema.js';
import { resolveConfigPath } from './config-path.js';
import { printProblems, printWarnings, type Write } from './print-problems.js';

export { printProblems, printWarnings } from './print-problems.js';

const HELP = `Usage: gateway validate [file]

Checks a configuration with all its pipelines, or a single pipeline, and prints every problem with its place.

  file                 gateway.yaml or a pipeline's file; by default GATEWAY_CONFIG, else config/gateway.yaml,
                       else the configuration that comes with the program
  --write-schema DIR   instead write the JSON Schemas for editors to this directory
  --help               this text

Exit code: 0 = no problem, 1 = problems, 2 = wrong usage.
`;

/** What the command works with; the process's own by default. */
export interface ValidateEnvironment {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly registry: PluginRegistry;
  readonly stdout: Write;
  readonly stderr: Write;
}

/**
 * `gateway validate`. Never rejects.
 * @param argv what follows `validate` on the command line
 * @returns the exit code: 0 = no problem, 1 = problems, 2 = wrong usage
 */
export async function validateCommand(
  argv: string[],
  overrides: Partial<ValidateEnvironment> = {},
): Promise<number> {
  const stderr = overrides.stderr ?? ((text) => void process.stderr.write(text));
  try {
    const environment: ValidateEnvironment = {
      env: process.env,
      cwd: process.cwd(),
      registry: overrides.registry ?? createPluginRegistry(),
      stdout: (text) => void process.stdout.write(text),
      ...overrides,
      stderr,
    };
    return run(argv, environment);
  } catch (error) {
    stderr(`${error instanceof GatewayError ? errorText(error) : String(error)}\n`);
    return 1;
  }
}

function run(argv: string[], environment: ValidateEnvironment): number {
  const { stdout, stderr } = environment;
  const options = parseArguments(argv);
  if (typeof options === 'string') {
    stderr(`${options}\n\n${HELP}`);
    return 2;
  }
  if (options.help) stdout(HELP);
  else if (options.schemaDirectory !== undefined) writeSchemas(options.schemaDirectory, environment);
  else return validate(options.file, environment);
  return 0;
}

interface Arguments {
  readonly help: boolean;
  readonly file: string | undefined;
  readonly schemaDirectory: string | undefined;
}

function parseArguments(argv: string[]): Arguments | string {
  try {
    const { values, positionals } = parseArgs({
      args: argv,
      options: { help: { type: 'boolean', short: 'h' }, 'write-schema': { type: 'string' } },
      allowPositionals: true,
    });
    if (positionals.length > 1) return 'Give one file at a time.';
    return {
      help: values.help ?? false,
      file: positionals[0],
      schemaDirectory: values['write-schema'],
    };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function validate(
  file: string | undefined,
  { env, cwd, registry, stdout, stderr }: ValidateEnvironment,
): number {
  const path = file === undefined ? resolveConfigPath(env, cwd) : resolve(cwd, file);
  const result = validateFile(path, env, registry, { settingsSchema, cwd });
  printWarnings(result.warnings, stderr);
  printProblems(result.problems, stderr);
  if (result.problems.length === 0) {
    stdout(`OK: ${shortPath(path, cwd)}, ${counted(result.pipelines, 'pipeline')}\n`);
    if (result.config !== undefined) stdout(retentionText(result.config.clickhouse));
    return 0;
  }
  stderr(`${counted(result.problems.length, 'problem')} in ${counted(fileCount(result), 'file')}.\n`);
  return 1;
}

/** What the two retentions mean: 0 and what is too long for a TTL mean keep, which nobody should have to guess. */
function retentionText({ retentionDays, deadLetterRetentionDays }: GatewayConfig['clickhouse']): string {
  const text = (what: string, days: number): string =>
    days === 0 ? `keep ${what} (no TTL)` : `delete ${what} after ${counted(days, 'day')}`;
  return `Retention: ${text('events', retentionDays)}, ${text('dead letters', deadLetterRetentionDays)}.\n`;
}

function fileCount({ problems }: ValidatedFile): number {
  return new Set(problems.map(({ file }) => file)).size;
}

function writeSchemas(directory: string, { cwd, registry, stdout }: ValidateEnvironment): void {
  const target = resolve(cwd, directory);
  mkdirSync(target, { recursive: true });
  for (const [name, schema] of Object.entries(generateConfigSchemas(registry, settingsSchema))) {
    const path = join(target, name);
    writeFileSync(path, `${JSON.stringify(schema, null, 2)}\n`);
    stdout(`Wrote ${shortPath(path, cwd)}\n`);
  }
}

function shortPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short !== '' && short.length < path.length ? short : path;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function errorText({ message, code, hint }: GatewayError): string {
  return `${message} (${code})${hint === undefined ? '' : `\n    ${hint}`}`;
}
