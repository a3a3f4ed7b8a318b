import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  generateConfigSchemas,
  importListedPlugins,
  validateFile,
  type GatewayConfig,
  type PluginPackage,
  type PluginRegistry,
  type ValidatedFile,
} from '@activity-gateway/pipeline/host';
import { GATEWAY_ENTRY } from '../entry-points.js';
import { createPluginRegistry } from '../plugins.js';
import { settingsSchema } from '../settings/settings-schema.js';
import { CliCommand, text } from './cli-command.js';
import { resolveConfigPath } from './config-path.js';
import { printProblems, printWarnings, type Write } from './print-problems.js';

/** What the command works with; the process's own by default. */
export interface ValidateEnvironment {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly registry: PluginRegistry;
  readonly stdout: Write;
  readonly stderr: Write;
}

/** `gateway validate`. Exit code 0: no problem, 1: problems. */
export function validateCommand(overrides: Partial<ValidateEnvironment> = {}): CliCommand {
  return new CliCommand('gateway validate')
    .description(
      'Checks a configuration with all its pipelines, or a single pipeline, and prints every problem with its place.',
    )
    .argument(
      '[file]',
      `gateway.yaml or a pipeline's file; by default GATEWAY_CONFIG, else config/gateway.yaml, else the configuration \
that comes with the program`,
    )
    .option('--write-schema <dir>', 'instead write the JSON Schemas for editors to this directory', text)
    .exits('0 = no problem, 1 = problems')
    .runs<{ writeSchema?: string }>(async ({ writeSchema }, file) => {
      const environment: ValidateEnvironment = {
        env: process.env,
        cwd: process.cwd(),
        registry: overrides.registry ?? createPluginRegistry(),
        stdout: (output) => void process.stdout.write(output),
        stderr: (output) => void process.stderr.write(output),
        ...overrides,
      };
      if (writeSchema === undefined) return validate(file, environment);
      writeSchemas(writeSchema, environment);
      return 0;
    });
}

async function validate(
  file: string | undefined,
  { env, cwd, registry, stdout, stderr }: ValidateEnvironment,
): Promise<number> {
  const path = file === undefined ? resolveConfigPath(env, cwd) : resolve(cwd, file);
  const plugins = await importListedPlugins(path, env, { cwd, program: GATEWAY_ENTRY });
  const result = validateFile(path, env, registry, { settingsSchema, cwd, plugins });
  printWarnings(result.warnings, stderr);
  printProblems(result.problems, stderr);
  if (result.problems.length === 0) {
    stdout(`OK: ${shortPath(path, cwd)}, ${counted(result.pipelines, 'pipeline')}\n`);
    for (const each of result.config?.plugins ?? []) stdout(packageText(each));
    if (result.config !== undefined) stdout(retentionText(result.config.clickhouse));
    return 0;
  }
  stderr(`${counted(result.problems.length, 'problem')} in ${counted(fileCount(result), 'file')}.\n`);
  return 1;
}

/** What the two retentions mean: 0 and what is too long for a TTL mean keep, which nobody should have to guess. */
function retentionText({ retentionDays, deadLetterRetentionDays }: GatewayConfig['clickhouse']): string {
  const said = (what: string, days: number): string =>
    days === 0 ? `keep ${what} (no TTL)` : `delete ${what} after ${counted(days, 'day')}`;
  return `Retention: ${said('events', retentionDays)}, ${said('dead letters', deadLetterRetentionDays)}.\n`;
}

function packageText({ name, version, url, plugins }: PluginPackage): string {
  return `Plugins of ${name} ${version} (${fileURLToPath(url)}): ${plugins.join(', ')}.\n`;
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
